package files

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// seeds adds all files there are.
func seeds(f *testing.F) {
	names, err := filepath.Glob("testdata/*")
	if err != nil || len(names) < 20 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue // what the fuzzer has found
		}
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// typed holds an error to be one that people can read.
func typed(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if err == nil {
		return
	}
	if !errors.As(err, &e) || e.What == "" {
		t.Fatalf("%T %v", err, err)
	}
	for _, c := range []byte(e.Error()) {
		if c < ' ' || c == 0x7f {
			t.Fatalf("%q is no line", e.Error())
		}
	}
}

// FuzzKeyFile: whatever a file has, reading it ends, with a key or with an error that can be shown.
func FuzzKeyFile(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, pass := range []string{"", "secret"} {
			k, err := PrivateKey(data, []byte(pass))
			typed(t, err)
			if (k == nil) != (err != nil) || k != nil && k.Public() == nil {
				t.Fatalf("%v, %v", k, err)
			}
		}
		keys, err := PublicKeys(data)
		typed(t, err)
		if (len(keys) == 0) != (err != nil) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
	})
}

// FuzzPKCS12: the same for bundles.
func FuzzPKCS12(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := PKCS12(data, []byte("secret"))
		typed(t, err)
		if err == nil && (b.Key == nil || len(b.Certs) == 0) {
			t.Fatal("a bundle without a key or a certificate")
		}
	})
}

// FuzzCertificateFile: the same for certificates and lists, and for what says what a file is.
func FuzzCertificateFile(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Certificates(data)
		typed(t, err)
		if (len(c) == 0) != (err != nil) {
			t.Fatalf("%d certificates, %v", len(c), err)
		}
		l, err := CRLs(data)
		typed(t, err)
		if (len(l) == 0) != (err != nil) {
			t.Fatalf("%d lists, %v", len(l), err)
		}
		_ = Identify(data).String()
		HasPrivateKey(data)
	})
}
