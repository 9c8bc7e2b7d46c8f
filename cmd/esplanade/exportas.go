package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"esplanade/config/migrate"
	"esplanade/config/migrate/strongswan"
	"esplanade/config/swanctl"
)

// asSwanctl writes the whole configuration as a folder of swanctl.
func (f *exportFlags) asSwanctl(c *cobra.Command) error {
	conf, err := load(f.config, c.ErrOrStderr())
	if err != nil {
		return err
	}
	text, err := os.ReadFile(f.config)
	if err != nil {
		return unreadable(f.config, err)
	}
	x, err := strongswan.Export(string(text), conf, swanctl.Disk{}, f.withSecret)
	if err != nil {
		return unwrapPath(err)
	}
	for _, l := range x.Left {
		fmt.Fprintln(c.ErrOrStderr(), "not carried over: "+l.String())
	}
	partly := len(x.Left) > 0
	if f.out == "" {
		if err := openOutput(c.OutOrStdout()); err != nil && x.Secret {
			return err
		}
		if _, err := io.WriteString(c.OutOrStdout(), x.Conf); err != nil {
			return err
		}
		for _, file := range x.Files {
			fmt.Fprintf(c.ErrOrStderr(), "not written: %s; with --output FOLDER it is put there\n", file.Name)
			partly = true
		}
	} else if err := writeFolder(c.ErrOrStderr(), f.out, x); err != nil {
		return err
	}
	if partly {
		return partlyError{}
	}
	return nil
}

// writeFolder writes a folder of swanctl. If one of its files is there already, none is written.
func writeFolder(w io.Writer, dir string, x *strongswan.Exported) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("cannot write %s: it is a file; name a folder", dir)
	}
	all := append([]migrate.File{{Name: swanctl.ConfName, Data: []byte(x.Conf), Secret: x.Secret}}, x.Files...)
	for _, file := range all {
		if err := wantFree(filepath.Join(dir, file.Name)); err != nil {
			return err
		}
	}
	for _, file := range all {
		path := filepath.Join(dir, file.Name)
		mode := os.FileMode(0o644)
		if file.Secret {
			mode = 0o600
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), replaceFile(path, file.Data, mode)); err != nil {
			return fmt.Errorf("cannot write %w", unwrapPath(err))
		}
		fmt.Fprintln(w, "written: "+path)
	}
	return nil
}
