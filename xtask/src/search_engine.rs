//! `cargo xtask search-engine`: tries `deploy/elastic` and the dashboards on a real OpenSearch, and on Elasticsearch's server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::places::Places;
use crate::step::{Tool, long_step, step};

/// Writes the class path of a project into a file.
const CLASSPATH: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:build-classpath";

/// Where the picture of the dashboard is kept.
const PICTURE: &str = "docs/dashboard.svg";

/// Runs the trial with the built binary. Arguments are the number of lines and `--picture`, either or both.
pub(crate) fn run(places: &Places, arguments: &[&str]) -> Result<()> {
    for tool in ["java", "mvn"] {
        let is_there = Tool::new(tool).args(["-version"]).answer().is_some();
        ensure!(
            is_there,
            "`{tool}` is not there; install JDK 17 and Maven, on Debian openjdk-17-jdk-headless and maven"
        );
    }
    let opensearch = libraries(places, "search-engine", "OpenSearch")?;
    let elasticsearch = libraries(places, "elasticsearch", "Elasticsearch's server")?;
    let (picture, lines): (Vec<&str>, Vec<&str>) =
        arguments.iter().partition(|argument| **argument == "--picture");
    let mut trial = places
        .cargo(["run", "--quiet", "-p", "whiskjack-search-engine", "--"])
        .args([&opensearch, &elasticsearch, &places.artifact("whiskjack")])
        .args(lines);
    if !picture.is_empty() {
        trial = trial.args(["--picture"]).args([places.root.join(PICTURE)]);
    }
    long_step("the trial on search engines", || trial.run())
}

/// The file with the class path of a project in `tests/peers`, once its libraries are there.
fn libraries(places: &Places, project: &str, what: &str) -> Result<PathBuf> {
    let classpath = places.artifact(&format!("{project}.classpath"));
    let project = places.root.join("tests/peers").join(project);
    if !is_current(&classpath, &project.join("pom.xml")) {
        // Maven keeps what it fetches in its own folder.
        step(&format!("fetching {what} with Maven"), || {
            Tool::new("mvn")
                .args(["-q", "-B", CLASSPATH])
                .args([format!("-Dmdep.outputFile={}", classpath.display())])
                .at(&project)
                .run_silently()
        })?;
    }
    Ok(classpath)
}

/// Whether the class path is newer than the project, and all of it is still there.
fn is_current(classpath: &Path, project: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let jars = fs::read_to_string(classpath).unwrap_or_default();
    modified(classpath) > modified(project) && jars.trim().split(':').all(|jar| Path::new(jar).is_file())
}
