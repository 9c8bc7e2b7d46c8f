package hostdns

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// file is /etc/resolv.conf, read by the C library of every program. It knows up to three servers, each for all names.
type file struct {
	path string
	log  *slog.Logger
}

// maxFileServers is what the C library looks at (MAXNS).
const maxFileServers = 3

// marker begins what this program writes.
const marker = "# Written by esplanade for the tunnel on "

// kept is what the file was.
type kept struct {
	Missing bool        `json:"missing,omitempty"`
	Link    string      `json:"link,omitempty"` // where it led to, if it was a symbolic link
	Content []byte      `json:"content,omitempty"`
	Mode    fs.FileMode `json:"mode,omitempty"`
}

func (file) name() string { return "resolv.conf" }

func (m file) prepare(s Settings, old *record) (record, error) {
	if len(s.Domains) > 0 {
		return record{}, ErrNoSplit
	}
	if old != nil && old.File != nil && !m.changed(*old) {
		return record{File: old.File, Written: text(s), Replaced: old.Written}, nil
	}
	k, err := m.keep()
	if err != nil {
		return record{}, err
	}
	return record{File: k, Written: text(s)}, nil
}

// keep reads what is there.
func (m file) keep() (*kept, error) {
	info, err := os.Lstat(m.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &kept{Missing: true}, nil
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		to, err := os.Readlink(m.path)
		return &kept{Link: to}, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", m.path)
	}
	b, err := os.ReadFile(m.path)
	if err == nil && strings.HasPrefix(string(b), marker) {
		// To keep that, and to put it back, would have this host ask the servers of a tunnel for ever.
		return nil, fmt.Errorf("%s has servers of an earlier tunnel, and tun.state_file does not say what was there before: write the servers of this host into it", m.path)
	}
	return &kept{Content: b, Mode: info.Mode().Perm()}, err
}

// text is what the file gets. Options of before, such as a timeout, are those of other servers.
func text(s Settings) string {
	var b strings.Builder
	b.WriteString(marker + s.Device + ", which puts back what was here before when it goes down.\n")
	for i, a := range s.Servers {
		if i == maxFileServers {
			break
		}
		b.WriteString("nameserver " + a.String() + "\n")
	}
	return b.String()
}

func (m file) set(_ Settings, r record) error { return m.write([]byte(r.Written), 0o644) }

// write has the file be this, for every reader as a whole. A file that is mounted, as in a container, can't be replaced: it is written in
// place.
func (m file) write(b []byte, mode fs.FileMode) error {
	err := replace(m.path, b, mode)
	if err == nil || !inPlace(err) {
		return err
	}
	return overwrite(m.path, b)
}

// inPlace reports whether an error says that a file can't be replaced by another: it is a mount point, or its directory can't be written.
func inPlace(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EXDEV) || errors.Is(err, syscall.EACCES)
}

func overwrite(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func (m file) changed(r record) bool {
	b, err := os.ReadFile(m.path)
	return err != nil || string(b) != r.Written
}

// undo puts back what was there, unless somebody else has written the file since: that is what is right now.
func (m file) undo(r record) error {
	if r.File == nil {
		return errors.New("the state file does not say what was there")
	}
	was := r
	was.Written = r.Replaced
	switch k := r.File; {
	case m.changed(r) && (r.Replaced == "" || m.changed(was)):
		m.log.Info("the file of the resolver stays as it is: somebody else has written it since", "file", m.path)
		return nil
	case k.Missing:
		if err := os.Remove(m.path); inPlace(err) {
			return overwrite(m.path, nil)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	case k.Link != "":
		return relink(m.path, k.Link)
	default:
		return m.write(k.Content, k.Mode)
	}
}

// relink makes a file a symbolic link, for every reader at once.
func relink(name, to string) error {
	temp := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"-esplanade-link")
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(to, temp); err != nil {
		return err
	}
	return os.Rename(temp, name)
}
