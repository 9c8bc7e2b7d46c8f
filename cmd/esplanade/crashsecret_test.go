package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"esplanade/config"
)

// The secret is made once and is the same afterwards; a file that is not as it was made is not used, nor replaced.
func TestCrashSecret(t *testing.T) {
	conf := &config.Config{}
	if b, err := crashSecret(conf); b != nil || err != nil {
		t.Fatalf("without a file: %x, %v", b, err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "qcd.secret")
	conf.IKE.QCDSecretFile = name
	first, err := crashSecret(conf)
	if err != nil || len(first) != crashSecretLen || bytes.Equal(first, make([]byte, crashSecretLen)) {
		t.Fatalf("%x, %v", first, err)
	}
	fi, err := os.Stat(name)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	if again, err := crashSecret(conf); err != nil || !bytes.Equal(again, first) {
		t.Errorf("another one after a restart: %v", err)
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("%d files", len(list))
	}
	for what, spoil := range map[string]func() error{
		"readable by others": func() error { return os.Chmod(name, 0o640) },
		"cut short":          func() error { return os.WriteFile(name, first[:31], 0o600) },
	} {
		if err := os.WriteFile(name, first, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chmod(name, 0o600)
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if b, err := crashSecret(conf); err == nil {
			t.Errorf("%s: %x was used", what, b)
		}
	}
	conf.IKE.QCDSecretFile = filepath.Join(dir, "missing", "qcd.secret")
	if _, err := crashSecret(conf); err == nil {
		t.Error("no error for a directory that is missing")
	}
}
