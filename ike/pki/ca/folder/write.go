package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The modes of files: what is secret is for its owner.
const (
	modeSecret fs.FileMode = 0o600
	modePublic fs.FileMode = 0o644
	modeFolder fs.FileMode = 0o700
)

// tempPrefix is what the names of files begin with that are being written.
const tempPrefix = ".writing-"

// step is called before each thing that is done to the disk; an error is as if the program had ended there. Only tests have one.
type step func(what string) error

func (s step) before(format string, args ...any) error {
	if s == nil {
		return nil
	}
	return s(fmt.Sprintf(format, args...))
}

// writeTemp writes a temporary file beside path and returns its name. The disk has it when writeTemp returns.
func (s step) writeTemp(path string, data []byte, mode fs.FileMode) (name string, err error) {
	if err := s.before("write %s", path); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	return f.Name(), err
}

// create writes a file that is not there. If it is, the error is fs.ErrExist.
func (s step) create(path string, data []byte, mode fs.FileMode) error {
	temp, err := s.writeTemp(path, data, mode)
	if err != nil {
		return err
	}
	if err := s.before("link %s", path); err != nil {
		return err
	}
	// A link, unlike a rename, takes no other file's place.
	err = os.Link(temp, path)
	return errors.Join(err, os.Remove(temp), s.sync(filepath.Dir(path)))
}

// replace writes a file, in place of the one that is there.
func (s step) replace(path string, data []byte, mode fs.FileMode) error {
	temp, err := s.writeTemp(path, data, mode)
	if err != nil {
		return err
	}
	if err := s.before("rename %s", path); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return s.sync(filepath.Dir(path))
}

// move gives a file another name, which nothing has yet. A file that is not there was moved already.
func (s step) move(from, to string) error {
	if err := s.before("move %s", from); err != nil {
		return err
	}
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("cannot move %s to %s, which is there already; move that one away", from, to)
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return errors.Join(s.sync(filepath.Dir(to)), s.sync(filepath.Dir(from)))
}

// sync has the disk know the names in a directory.
func (step) sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes what a run that was killed has left behind while it was writing. Only whoever has the lock may do so.
func (s step) sweep(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), tempPrefix) && e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
