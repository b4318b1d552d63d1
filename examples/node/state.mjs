// The checkpoint in the file of --state.
import { closeSync, fchmodSync, fsyncSync, lstatSync, openSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/// Where the file is, or will be: what symbolic links lead to. Throws if something else than a plain file is there.
export function stateFile(named) {
  let path = resolve(named);
  for (let links = 0; links < 40; links++) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) {
      path = resolve(dirname(path), readlinkSync(path));
    } else if ((found && !found.isFile()) || named.endsWith("/")) {
      throw new Error(`--state ${named}: is not a plain file; name another`);
    } else {
      return path;
    }
  }
  throw new Error(`--state ${named}: leads through too many symbolic links; name the file itself`);
}

/// The checkpoint of the last run, or undefined before the first.
export function load(path) {
  return lstatSync(path, { throwIfNoEntry: false }) && readFileSync(path);
}

/// Replaces the checkpoint as a whole: after a crash the file holds the old one or the new one.
export function save(path, checkpoint) {
  const created = `${path}.new`;
  // One that a killed run left behind, or a link that somebody has put there: it is not followed.
  rmSync(created, { force: true });
  const file = openSync(created, "wx", 0o600);
  try {
    const old = lstatSync(path, { throwIfNoEntry: false });
    if (old) fchmodSync(file, old.mode & 0o777);
    writeFileSync(file, checkpoint);
    fsyncSync(file);
    renameSync(created, path);
  } catch (error) {
    rmSync(created, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  const folder = openSync(dirname(path), "r");
  try {
    // The new name is durable once its folder is.
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
