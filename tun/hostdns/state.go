package hostdns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// record is what is noted of what is in place.
type record struct {
	Method string `json:"method"`
	Device string `json:"device"`
	// File is what /etc/resolv.conf was, and Written what it is; nil for other methods. Until that is written it may still be Replaced.
	File     *kept  `json:"file,omitempty"`
	Written  string `json:"written,omitempty"`
	Replaced string `json:"replaced,omitempty"`
}

// maxState bounds the state file that is read.
const maxState = 1 << 20

// noted reads the state file. Without one, or when somebody has removed it, what this run has in place is in memory.
func (r *Resolver) noted() (rec record, there bool, err error) {
	remembered := func() (record, bool, error) {
		if r.memory == nil {
			return record{}, false, nil
		}
		return *r.memory, true, nil
	}
	if r.o.State == "" {
		return remembered()
	}
	b, err := os.ReadFile(r.o.State)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return remembered()
	case err != nil:
		return record{}, false, err
	case len(b) > maxState:
		return record{}, false, fmt.Errorf("%s is larger than any that this program writes", r.o.State)
	}
	if err := json.Unmarshal(b, &rec); err != nil {
		return record{}, false, fmt.Errorf("%s: %w; remove it, and see that %s is as it should be", r.o.State, err, r.o.ResolvConf)
	}
	return rec, true, nil
}

// note writes the state file, whole or not at all, and has it on the disk before anything is changed.
func (r *Resolver) note(rec record) error {
	if r.o.State == "" {
		r.memory = &rec
		return nil
	}
	b, err := json.MarshalIndent(rec, "", "\t")
	if err != nil {
		return err
	}
	dir := filepath.Dir(r.o.State)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("nothing is changed that could not be taken back after a crash: %w", err)
	}
	if err := replace(r.o.State, b, 0o600); err != nil {
		return fmt.Errorf("nothing is changed that could not be taken back after a crash: %w", err)
	}
	r.memory = &rec
	return nil
}

// forget removes the state file: there is nothing to take back.
func (r *Resolver) forget() error {
	r.memory = nil
	if r.o.State == "" {
		return nil
	}
	if err := os.Remove(r.o.State); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replace writes a file under another name and gives it its own once it is whole and on the disk.
func replace(name string, b []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-esplanade-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
