package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/config/migrate"
)

// partlyError ends a command that has done what it could, and said what it could not.
type partlyError struct{}

func (partlyError) Error() string { return "something was left out" }

// write writes the results, checks them, and says so. lost is set if secrets went nowhere.
func (f *importFlags) write(c *cobra.Command, results []*migrate.Result) (lost bool, err error) {
	if f.out == "" {
		return f.print(c, results)
	}
	type target struct {
		path   string
		result *migrate.Result
	}
	var targets []target
	info, errStat := os.Stat(f.out)
	folder := errStat == nil && info.IsDir()
	switch {
	case len(results) == 1 && folder:
		return false, usageError{c, fmt.Sprintf("--output is %s, a folder; name the file to write", f.out)}
	case len(results) == 1:
		targets = []target{{f.out, results[0]}}
	case errStat == nil && !folder:
		return false, usageError{c, fmt.Sprintf("--output is %s, a file; name a folder, as there are %d configurations to write", f.out, len(results))}
	default:
		for _, r := range results {
			targets = append(targets, target{filepath.Join(f.out, r.Name, "esplanade.toml"), r})
		}
	}
	if dir := filepath.Dir(targets[0].path); len(targets) == 1 {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("cannot write %s: there is no folder %s", f.out, dir)
		}
	}
	for _, t := range targets {
		if err := f.free(t.path, t.result); err != nil {
			return false, err
		}
	}
	for _, t := range targets {
		if len(targets) > 1 {
			if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
				return false, err
			}
		}
		if err := writeResult(t.path, t.result); err != nil {
			return false, fmt.Errorf("cannot write %w", unwrapPath(err))
		}
	}
	for _, t := range targets {
		for _, x := range t.result.Files {
			fmt.Fprintf(c.ErrOrStderr(), "written: %s\n", filepath.Join(filepath.Dir(t.path), x.Name))
		}
		fmt.Fprintf(c.ErrOrStderr(), "written: %s\n", t.path)
		if e := checkResult(c.ErrOrStderr(), t.path, ""); e != nil {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return false, silentError{}
	}
	return false, nil
}

// free is an error if one of the files to be written is there already, unless it may be replaced.
func (f *importFlags) free(path string, r *migrate.Result) error {
	names := []string{path}
	for _, x := range r.Files {
		names = append(names, filepath.Join(filepath.Dir(path), x.Name))
	}
	for _, name := range names {
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("cannot write %w", unwrapPath(err))
		case info.IsDir():
			return fmt.Errorf("cannot write %s: it is a folder", name)
		case !f.force:
			return fmt.Errorf("cannot write %s: it is there already; name another file with --output, or give --force to replace it", name)
		}
	}
	return nil
}

// writeResult writes a configuration and the files that it names: these first, so that there is never one without them.
func writeResult(path string, r *migrate.Result) error {
	for _, x := range r.Files {
		mode := os.FileMode(0o644)
		if x.Secret {
			mode = 0o600
		}
		if err := replaceFile(filepath.Join(filepath.Dir(path), x.Name), x.Data, mode); err != nil {
			return err
		}
	}
	mode := os.FileMode(0o644)
	if r.Inline {
		mode = 0o600
	}
	return replaceFile(path, []byte(r.TOML()), mode)
}

// print writes the results to standard output. They are checked in a folder that is gone afterwards, with the secrets that are not printed.
func (f *importFlags) print(c *cobra.Command, results []*migrate.Result) (lost bool, err error) {
	for _, r := range results {
		if err := openOutput(c.OutOrStdout()); err != nil && r.Inline {
			return false, err
		}
	}
	for i, r := range results {
		if len(results) > 1 {
			fmt.Fprintf(c.OutOrStdout(), "%s#### %s\n", strings.Repeat("\n", min(i, 1)), r.Name)
		}
		if _, err := io.WriteString(c.OutOrStdout(), r.TOML()); err != nil {
			return false, err
		}
		for _, x := range r.Files {
			fmt.Fprintf(c.ErrOrStderr(), "not written: %s; with --output FILE it is put beside that, with --inline-secrets into the configuration\n", x.Name)
			lost = true
		}
	}
	for _, r := range results {
		dir, err := os.MkdirTemp("", "esplanade-import-")
		if err != nil {
			return lost, err
		}
		path := filepath.Join(dir, "esplanade.toml")
		if err = writeResult(path, r); err == nil {
			err = checkResult(c.ErrOrStderr(), path, dir+string(filepath.Separator))
		}
		if errRemove := os.RemoveAll(dir); err == nil {
			err = errRemove
		}
		if err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// openOutput is an error if what is written goes into a file that others can read.
func openOutput(w io.Writer) error {
	o, ok := w.(*output)
	if !ok {
		return nil
	}
	file, ok := o.w.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return errors.New("standard output is a file that others can read, and there are secrets in the configuration; use --output FILE, or leave --inline-secrets out")
	}
	return nil
}

// checkResult checks a configuration as check does, and says what comes of it. hide is taken out of what it says.
func checkResult(w io.Writer, path, hide string) error {
	say := func(format string, args ...any) {
		fmt.Fprintln(w, strings.ReplaceAll(fmt.Sprintf(format, args...), hide, ""))
	}
	if hide == "" {
		say = func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	}
	conf, errs, err := config.Diagnose(path)
	if err != nil {
		return unreadable(path, err)
	}
	if len(errs) > 0 {
		for _, e := range errs {
			say("%v", e)
		}
		again := "FILE"
		if hide == "" {
			again = path
		}
		say("%s is not valid: correct it, and try it again with: esplanade check %s", path, again)
		return silentError{}
	}
	for _, x := range append(conf.Warnings, conf.CertificateRemarks(time.Now())...) {
		say("warning: %v", x)
	}
	say("%s is valid: %s", path, childrenOf(conf))
	return nil
}
