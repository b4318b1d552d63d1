//! `cargo xtask search-engine`: tries `deploy/elastic` and the dashboards on a real OpenSearch.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::places::Places;
use crate::step::{Tool, long_step, step};

/// Writes the class path of a project into a file.
const CLASSPATH: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:build-classpath";

/// Runs the trial with the built binary and so many lines.
pub(crate) fn run(places: &Places, lines: Option<&str>) -> Result<()> {
    for tool in ["java", "mvn"] {
        let is_there = Tool::new(tool).args(["-version"]).answer().is_some();
        ensure!(
            is_there,
            "`{tool}` is not there; install JDK 17 and Maven, on Debian openjdk-17-jdk-headless and maven"
        );
    }
    let classpath = places.artifact("search-engine.classpath");
    let project = places.root.join("tests/peers/search-engine");
    if !is_current(&classpath, &project.join("pom.xml")) {
        // Maven keeps what it fetches in its own folder.
        step("fetching OpenSearch with Maven", || {
            Tool::new("mvn")
                .args(["-q", "-B", CLASSPATH])
                .args([format!("-Dmdep.outputFile={}", classpath.display())])
                .at(&project)
                .run_silently()
        })?;
    }
    long_step("the trial on OpenSearch", || {
        places
            .cargo(["run", "--quiet", "-p", "whiskjack-search-engine", "--"])
            .args([&classpath, &places.artifact("whiskjack")])
            .args(lines)
            .run()
    })
}

/// Whether the class path is newer than the project, and all of it is still there.
fn is_current(classpath: &Path, project: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let jars = fs::read_to_string(classpath).unwrap_or_default();
    modified(classpath) > modified(project) && jars.trim().split(':').all(|jar| Path::new(jar).is_file())
}
