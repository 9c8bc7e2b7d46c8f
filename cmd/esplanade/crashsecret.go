package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"esplanade/config"
)

// crashSecretLen is the length of the secret in octets.
const crashSecretLen = 32

// crashSecret reads the secret of quick crash detection, and makes its file if there is none. A file that is not as it
// was made is an error: with another secret the tokens that peers have are worthless, and nobody would notice.
func crashSecret(conf *config.Config) ([]byte, error) {
	name := conf.IKE.QCDSecretFile
	if name == "" {
		return nil, nil
	}
	b, err := readCrashSecret(name)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = makeCrashSecret(name)
	}
	if err != nil {
		return nil, fmt.Errorf("ike.qcd_secret_file (%s): %w", conf.IKE.At("qcd_secret_file").FileLine(), err)
	}
	return b, nil
}

func readCrashSecret(name string) ([]byte, error) {
	b, err := config.ReadPrivate(name, crashSecretLen)
	if err == nil && len(b) != crashSecretLen {
		err = &config.FileError{What: fmt.Sprintf("%s has %d bytes, not %d", name, len(b), crashSecretLen), Want: "remove it, and a new one is made"}
	}
	return b, err
}

// makeCrashSecret writes a new secret. The file has its name only once it is whole and on the disk: a crash in between
// leaves none rather than half of one.
func makeCrashSecret(name string) (_ []byte, err error) {
	b := make([]byte, crashSecretLen)
	rand.Read(b)                                          // never fails, since Go 1.24
	f, err := os.CreateTemp(filepath.Dir(name), ".qcd-*") // has mode 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return b, os.Rename(f.Name(), name)
}
