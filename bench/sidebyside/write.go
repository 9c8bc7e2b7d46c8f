package sidebyside

import (
	"errors"
	"os"
	"path/filepath"

	"esplanade/bench/report"
)

// figuresFile has all figures; the other files are made from it.
const figuresFile = "results.json"

// again makes the report from the figures in a directory.
func again(dir string) error {
	f, err := os.Open(filepath.Join(dir, figuresFile))
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := report.Read(f)
	if err != nil {
		return err
	}
	return writeReport(r, dir)
}

// write makes all files.
func write(r *report.Results, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, figuresFile), func(f *os.File) error { return r.Write(f) }); err != nil {
		return err
	}
	return writeReport(r, dir)
}

// writeReport makes the files that people read.
func writeReport(r *report.Results, dir string) error {
	return errors.Join(
		writeFile(filepath.Join(dir, "README.md"), func(f *os.File) error { return r.Markdown(f) }),
		writeFile(filepath.Join(dir, "throughput.svg"), func(f *os.File) error { return r.SVG(f) }))
}

func writeFile(path string, to func(f *os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(to(f), f.Close())
}
