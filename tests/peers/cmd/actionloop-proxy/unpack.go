package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// unpack puts an action's code into a new directory: a zip with its modes and links, anything else as the executable itself.
func unpack(code []byte, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if !bytes.HasPrefix(code, []byte("PK\x03\x04")) {
		return os.WriteFile(filepath.Join(dir, "exec"), code, 0o755)
	}
	archive, err := zip.NewReader(bytes.NewReader(code), int64(len(code)))
	if err != nil {
		return err
	}
	for _, file := range archive.File {
		if err := unpackFile(file, dir); err != nil {
			return err
		}
	}
	return nil
}

func unpackFile(file *zip.File, dir string) error {
	path := filepath.Join(dir, file.Name)
	if !strings.HasPrefix(path, filepath.Clean(dir)+string(os.PathSeparator)) {
		return fmt.Errorf("%q leads out of the archive", file.Name)
	}
	if file.FileInfo().IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	from, err := file.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	if file.Mode()&os.ModeSymlink != 0 {
		target, err := io.ReadAll(from)
		if err != nil {
			return err
		}
		return os.Symlink(string(target), path)
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, file.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close()
		return err
	}
	return to.Close()
}
