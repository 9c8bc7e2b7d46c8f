package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"esplanade/ike/pool"
)

// Store is the file. Its methods are for one goroutine at a time.
type Store struct {
	name string
	db   *bbolt.DB
}

// BusyError says that another process has the file.
type BusyError struct{ File string }

func (e *BusyError) Error() string { return e.File + " is in use by another daemon" }

// CorruptError says that the file is not what a store has written.
type CorruptError struct {
	File string
	Err  error
}

func (e *CorruptError) Error() string { return e.File + " is damaged: " + e.Err.Error() }

func (e *CorruptError) Unwrap() error { return e.Err }

// bucket is where the leases are, by address.
var bucket = []byte("leases 1")

const (
	// lockTime is how long another process may have the file: a daemon that ends while the next one begins.
	lockTime = 2 * time.Second
	fileMode = 0o600
)

// Open opens a store and gives what is in it. A file that is not there is made, its directory is not.
func Open(name string) (*Store, []pool.Record, error) { return open(name, 0) }

// open does that with a limit for the size of the file, 0 for none.
func open(name string, size int) (_ *Store, _ []pool.Record, err error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if err := create(name); err != nil {
			return nil, nil, err
		}
	}
	s := &Store{name: name}
	var list []pool.Record
	err = s.guarded(func() error {
		if s.db, err = bbolt.Open(name, fileMode, options(size)); err != nil {
			return err
		}
		list, err = s.read()
		return err
	})
	if err == nil {
		return s, list, nil
	}
	if s.db != nil {
		_ = s.guarded(s.db.Close)
	}
	var path *fs.PathError
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, nil, &BusyError{name}
	case errors.As(err, &path):
		return nil, nil, err
	}
	return nil, nil, &CorruptError{name, err}
}

func options(size int) *bbolt.Options {
	o := *bbolt.DefaultOptions
	o.Timeout, o.MaxSize = lockTime, size
	return &o
}

// create makes an empty store. It has its name only once it is whole and on the disk, so that a file without leases is never the rest of one.
func create(name string) (err error) {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, filepath.Base(name)+".new-*")
	if err != nil {
		return err
	}
	temporary := f.Name()
	defer os.Remove(temporary)
	if err := f.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(temporary, fileMode, options(0))
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(bucket); return err })
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	// Whoever is first has made it.
	if err := os.Link(temporary, name); err != nil && !errors.Is(err, fs.ErrExist) {
		if err := os.Rename(temporary, name); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

// guarded has what a damaged file makes the library panic with be an error.
func (s *Store) guarded(f func() error) (err error) {
	old := debug.SetPanicOnFault(true) // the file is mapped: reading behind its end is a fault
	defer debug.SetPanicOnFault(old)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return f()
}

// read reads all of it.
func (s *Store) read() (list []pool.Record, err error) {
	info, err := os.Stat(s.name)
	if err != nil {
		return nil, err
	}
	return list, s.db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("it has %d bytes, and should have %d", info.Size(), tx.Size())
		}
		f, err := os.Open(s.name)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := checkPages(f, tx, info.Size()); err != nil {
			return err
		}
		b := tx.Bucket(bucket)
		if b == nil {
			return errors.New("it has no leases of this version")
		}
		return b.ForEach(func(k, v []byte) error {
			r, err := decode(k, v)
			if err != nil {
				return err
			}
			list = append(list, r)
			return nil
		})
	})
}

// Write writes changes, all of them or none. When it returns without an error they are on the disk.
func (s *Store) Write(list []pool.Change) error {
	return s.guarded(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucket)
			for _, c := range list {
				key := c.Addr.AsSlice()
				if c.Record == nil {
					if err := b.Delete(key); err != nil {
						return err
					}
					continue
				}
				if err := b.Put(key, encode(key, *c.Record)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// Close gives the file back.
func (s *Store) Close() error { return s.guarded(s.db.Close) }
