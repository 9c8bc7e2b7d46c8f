package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Dir is a directory with files. Any goroutine may use it.
type Dir struct {
	path string
	// mu: one writes or counts at a time.
	mu sync.Mutex
}

const (
	// maxFiles and maxOctets bound what there is; what was written first goes first.
	maxFiles  = 512
	maxOctets = 256 << 20

	suffix    = ".der"
	temporary = ".new"
)

// Open makes the directory if there is none, readable for its owner only: the names of the peers' certificates are in it.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	d := &Dir{path: path}
	// What was not written whole.
	for _, f := range d.list(temporary) {
		os.Remove(f.path)
	}
	return d, nil
}

// name is that of the file for a key. A key may have anything in it.
func (d *Dir) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(d.path, hex.EncodeToString(sum[:16])+suffix)
}

// Get returns what was put last under a key, nil if there is nothing. An error is for the log.
func (d *Dir) Get(key string, most int) ([]byte, error) {
	path := d.name(key)
	// Before it is opened: to open a pipe takes until somebody writes into it.
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > int64(most) {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", path, most)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(most)))
}

// Put writes something under a key, in place of what was there.
func (d *Dir) Put(key string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.CreateTemp(d.path, "*"+temporary) // readable for its owner only
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err2 := f.Sync(); err == nil {
		err = err2
	}
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err == nil {
		err = os.Rename(f.Name(), d.name(key))
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	d.trim()
	return nil
}

// Drop removes what is under a key.
func (d *Dir) Drop(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	os.Remove(d.name(key))
}

type file struct {
	path   string
	octets int64
	at     time.Time
}

// list has the files with a suffix. Others in the directory are left alone.
func (d *Dir) list(suffix string) (out []file) {
	entries, _ := os.ReadDir(d.path)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasSuffix(e.Name(), suffix) {
			out = append(out, file{filepath.Join(d.path, e.Name()), info.Size(), info.ModTime()})
		}
	}
	return out
}

// trim removes the oldest files while there are too many.
func (d *Dir) trim() {
	files := d.list(suffix)
	slices.SortFunc(files, func(a, b file) int { return a.at.Compare(b.at) })
	octets := int64(0)
	for _, f := range files {
		octets += f.octets
	}
	for len(files) > maxFiles || octets > maxOctets {
		os.Remove(files[0].path)
		octets -= files[0].octets
		files = files[1:]
	}
}
