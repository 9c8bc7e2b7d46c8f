package config

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxCertFiles bounds the files that CredentialState looks at: a folder may have any number.
const maxCertFiles = 20000

// CredentialState describes the files with certificates and keys, and the users file, by what changes when they do, without reading them: when each was written,
// its size, its number in the file system, who may read it, and which there are. Two states are the same text.
func (c *Config) CredentialState() string {
	h := sha256.New()
	left := maxCertFiles
	look := func(name string) (fs.FileInfo, error) {
		left--
		info, err := os.Stat(name)
		if err != nil {
			fmt.Fprintf(h, "%q -\n", name)
			return nil, err
		}
		changed, device := changedAt(info)
		fmt.Fprintf(h, "%q %d %d %o %d %d %d\n", name, info.ModTime().UnixNano(), info.Size(), info.Mode(), fileNumber(info), changed, device)
		return info, nil
	}
	watch := c.watch
	if c.Users.File != "" {
		watch = append(slices.Clip(watch), c.Users.File)
	}
	for _, name := range watch {
		info, err := look(name)
		var within []string
		switch {
		case err == nil && info.IsDir():
			entries, _ := os.ReadDir(name) // what can't be read now is reported when it is to be read
			for _, e := range entries {
				within = append(within, filepath.Join(name, e.Name()))
			}
		case err != nil && strings.ContainsAny(name, "*?["):
			within, _ = filepath.Glob(name) // a pattern that is none has been reported
		}
		for _, path := range within[:min(len(within), max(left, 0))] {
			_, _ = look(path)
		}
	}
	return string(h.Sum(nil))
}
