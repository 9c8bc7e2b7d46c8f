package swanctl

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config"
)

// Source is where files are read from. Names are paths of the host; an error has the name of the file in it.
type Source interface {
	// ReadFile returns what is in a file: all of it, or more than limit bytes of it.
	ReadFile(name string, limit int64) ([]byte, error)
	// Glob returns the files that match a pattern as [filepath.Match] has them, sorted.
	Glob(pattern string) ([]string, error)
}

// Disk reads the files of the host.
type Disk struct{}

// ReadFile returns what is in a regular file; what is behind its limit is left out but for one byte.
func (Disk) ReadFile(name string, limit int64) ([]byte, error) {
	f, _, err := config.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// Glob returns the files that match a pattern. As with a shell, a wildcard does not match a dot at the beginning of a name:
// editors keep copies in such files. Folders are left out.
func (Disk) Glob(pattern string) ([]string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		if hidden(pattern, name) {
			return true
		}
		fi, err := os.Stat(name)
		return err == nil && fi.IsDir()
	})
	slices.Sort(names)
	return names, nil
}

// hidden reports whether a part of the name begins with a dot where the pattern does not say so.
func hidden(pattern, name string) bool {
	p, n := parts(pattern), parts(name)
	for i := range min(len(p), len(n)) {
		if strings.HasPrefix(n[i], ".") && strings.ContainsAny(p[i], "*?[") && !strings.HasPrefix(p[i], ".") && !strings.HasPrefix(p[i], `\.`) {
			return true
		}
	}
	return false
}

func parts(path string) []string { return strings.Split(path, string(filepath.Separator)) }
