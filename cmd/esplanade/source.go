package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/config/swanctl"
)

// source says where a configuration comes from: a file; or a folder of swanctl, with what strongswan.conf says of the daemon, and with a file above
// that, which may be "".
type source struct {
	file string
	// folder is the folder of swanctl, "" for none, and daemonFile strongswan.conf, "" for the one that strongSwan would read.
	folder, daemonFile string
}

// flags adds those that name a folder of swanctl.
func (s *source) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.folder, "swanctl", "", "take connections, secrets, certificates and pools from this `folder` of swanctl, such as "+swanctl.DefaultFolder)
	c.Flags().StringVar(&s.daemonFile, "strongswan-conf", "", "with --swanctl: the `file` with what strongSwan's daemon is told, in place of $"+
		swanctl.DaemonFileVariable+" or "+swanctl.DefaultDaemonFile)
	_ = c.MarkFlagDirname("swanctl")          // fails for a flag that is not there
	_ = c.MarkFlagFilename("strongswan-conf") // as above
}

// check completes s once the flags are known. The default configuration is not above a folder.
func (s *source) check(c *cobra.Command, named bool) error {
	switch {
	case c.Flags().Changed("swanctl") && s.folder == "":
		return usageError{c, "--swanctl needs the name of a folder, such as " + swanctl.DefaultFolder}
	case s.folder == "" && s.daemonFile != "":
		return usageError{c, "--strongswan-conf goes with --swanctl, and that is not there"}
	case s.folder != "" && !named:
		s.file = ""
	}
	return nil
}

// name is what the configuration is called in messages.
func (s source) name() string {
	if s.folder != "" {
		return filepath.Join(s.folder, swanctl.ConfName)
	}
	return s.file
}

// read reads the configuration.
func (s source) read(string) (*config.Config, error) {
	if s.folder == "" {
		return config.Load(s.file)
	}
	daemon, err := swanctl.ReadDaemon(s.daemonFile)
	if err != nil {
		return nil, named(cmp.Or(s.daemonFile, swanctl.DefaultDaemonFile), err)
	}
	base, err := config.LoadOver(s.file, s.name(), daemon.Settings)
	if err != nil {
		return nil, named(s.file, err)
	}
	folder, err := swanctl.ReadFolder(s.folder)
	if err != nil {
		return nil, named(s.name(), err)
	}
	base.File = s.name() // that is what people know it by
	conf, errs := base.With(folder.Loaded)
	if len(errs) > 0 {
		return nil, errs
	}
	all := *conf
	all.Warnings = slices.Concat(daemon.Warnings, folder.Warnings, conf.Warnings)
	return &all, nil
}

// named is an error about one of several files that can't be read. Those about what is in it have their places.
func named(file string, err error) error {
	var list config.Errors
	if errors.As(err, &list) {
		return err
	}
	return &fileError{file, err}
}

// fileError says which of several files can't be read.
type fileError struct {
	file string
	err  error
}

func (e *fileError) Error() string { return e.file + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// load reads the configuration for a command. What is wrong in it goes to w, a line each, as check prints it.
func (s source) load(w io.Writer) (*config.Config, error) {
	conf, err := newLoader().load(context.Background(), s.name(), s.read)
	if err == nil {
		return conf, nil
	}
	var list config.Errors
	if errors.As(err, &list) {
		fmt.Fprintln(w, list)
		return nil, silentError{}
	}
	return nil, unreadable(s.name(), err)
}

// load is that for a file.
func load(path string, w io.Writer) (*config.Config, error) { return source{file: path}.load(w) }
