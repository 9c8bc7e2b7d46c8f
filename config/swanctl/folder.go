package swanctl

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"esplanade/config"
	"esplanade/config/tree"
)

// DefaultFolder is where Debian and most others have the folder of swanctl.
const DefaultFolder = "/etc/swanctl"

// ConfName is the name of the file in the folder.
const ConfName = "swanctl.conf"

// Folder is what a folder of swanctl has: what `swanctl --load-all` would send to the daemon.
type Folder struct {
	// File is its swanctl.conf.
	File string
	// Loaded is what is in it. What stands in files of its own (certificates, keys) is there as octets; every item has the place where it is
	// written, which for these files is their name.
	Loaded *config.Loaded
	// Warnings are what is left out: files that are no certificates or keys, secrets of a kind that there is not, patterns without a match.
	Warnings []config.Problem
}

// ReadFolder reads a folder. What can be read and is wrong is in the error, a [config.Errors]; any other error is about swanctl.conf itself.
// As with swanctl, a file in the folders of certificates and keys that can't be used is a warning: what needs it says so.
func ReadFolder(dir string) (*Folder, error) {
	to := &loading{}
	f, err := readFolder(dir, to)
	if err != nil {
		return nil, err
	}
	if f.Loaded, err = to.loaded(); err != nil {
		return nil, config.Errors{{Position: tree.Position{File: f.File}, What: err.Error()}}
	}
	return f, nil
}

func readFolder(dir string, to sink) (*Folder, error) {
	r := &folderReader{dir: dir, to: to, looked: map[string]bool{}, Folder: Folder{File: filepath.Join(dir, ConfName)}}
	d, err := Parse(r.File, Disk{})
	if e := (*Error)(nil); errors.As(err, &e) {
		return nil, config.Errors{problem(e)}
	} else if err != nil {
		return nil, err
	}
	for _, w := range d.Warnings {
		r.Warnings = append(r.Warnings, problem(w))
	}
	for e := range d.Root.All() {
		if _, ok := e.Value.Data.(*tree.Table); ok && !d.Templates[e.Name] && !slices.Contains(sectionNames, e.Name) {
			r.warnf(e.At, "write connections, secrets, pools or authorities, or inherit from it", "the section "+quote(e.Name)+" has no effect")
		}
	}
	secrets := r.section(d.Root, "secrets")
	r.credentials(secrets)
	r.shared(secrets)
	r.authorities(r.section(d.Root, "authorities"))
	r.pools(r.section(d.Root, "pools"))
	r.connections(r.section(d.Root, "connections"))
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	return &r.Folder, nil
}

// problem is an error of the syntax as package config has them: what is behind the last semicolon is what would be right.
func problem(e *Error) config.Problem {
	what, want := e.What, ""
	if i := strings.LastIndex(what, "; "); i >= 0 {
		what, want = what[:i], what[i+2:]
	}
	return config.Problem{Position: e.At, What: what, Want: want}
}

// sectionNames are the sections that swanctl looks into.
var sectionNames = []string{"connections", "secrets", "pools", "authorities"}

// quote shows a name.
func quote(name string) string {
	const most = 60
	if len(name) > most {
		name = name[:most] + "…"
	}
	return strconv.Quote(name)
}

// folderReader fills a Folder.
type folderReader struct {
	Folder
	dir  string
	to   sink
	errs config.Errors
	// looked are the files with secrets that were looked at: whether others can read them.
	looked map[string]bool
}

func (r *folderReader) errorf(at tree.Position, want, what string) {
	r.errs = append(r.errs, config.Problem{Position: at, What: what, Want: want})
}

func (r *folderReader) warnf(at tree.Position, want, what string) {
	r.Warnings = append(r.Warnings, config.Problem{Position: at, What: what, Want: want})
}

// section is a section of the top.
func (r *folderReader) section(root *tree.Table, name string) *tree.Table {
	e, _ := root.Get(name)
	t, _ := e.Value.Data.(*tree.Table)
	return t
}

// path is where a file is that a key names: in one of the folders, or where it says.
func (r *folderReader) path(folder, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, folder, name)
}

// files are the files in one of the folders; one that is not there has none. As with swanctl, what is in folders below it does not count.
func (r *folderReader) files(folder string) (paths []string) {
	dir := filepath.Join(r.dir, folder)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.warnf(tree.Position{File: dir}, "let the daemon read it", "what is in this folder is left out: "+systemError(err))
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if fi, err := os.Stat(path); err == nil && fi.IsDir() {
			continue
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// systemError is an error of the operating system without the name of the file, which stands in front of it already.
func systemError(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
