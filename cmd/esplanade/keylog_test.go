package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The columns of Wireshark's tables ikev2_decryption_table and esp_sa; their names are those of its preferences.
var (
	ikeColumns = []string{
		`[0-9a-f]{16}`, `[0-9a-f]{16}`, // the SPIs of initiator and responder
		`([0-9a-f]{2})+`, `([0-9a-f]{2})+`, // SK_ei, SK_er
		`[-A-Z0-9a-z _]+( \[RFC\d+\])`,     // the cipher
		`([0-9a-f]{2})*`, `([0-9a-f]{2})*`, // SK_ai, SK_ar
		`NONE \[RFC4306\]|HMAC_[A-Z0-9_]+ \[RFC\d+\]`,
	}
	espColumns = []string{
		`IPv4|IPv6`, `[0-9a-f.:]+`, `[0-9a-f.:]+`, `0x[0-9a-f]{8}`,
		`[-A-Z0-9a-z ]+ \[RFC\d+\]`, `0x([0-9a-f]{2})+`, `NULL|HMAC-[-A-Z0-9]+ \[RFC\d+\]`, `0x([0-9a-f]{2})*`,
	}
)

// table reads a key file and holds it to its columns, and to being for its owner only.
func table(t *testing.T, file string, columns []string) [][]string {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v", file, info.Mode())
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = len(columns)
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, row := range rows {
		for i, c := range row {
			if !regexp.MustCompile(`^(` + columns[i] + `)$`).MatchString(c) {
				t.Errorf("%s: column %d is %q, want %s", file, i+1, c, columns[i])
			}
		}
	}
	return rows
}

// TestKeyLog: both ends write the same keys, of every SA there was, in the form that Wireshark reads.
func TestKeyLog(t *testing.T) {
	for _, c := range []struct {
		esp, encr, integ string
		key, integKey    int // octets, the salt included
	}{
		{"aes128gcm16-x25519", "AES-GCM with 16 octet ICV [RFC4106]", "NULL", 20, 0},
		{"aes256gcm12-x25519", "AES-GCM with 12 octet ICV [RFC4106]", "NULL", 36, 0},
		{"aes256-sha256-x25519", "AES-CBC [RFC3602]", "HMAC-SHA-256-128 [RFC4868]", 32, 32},
		{"aes128ctr-sha512-x25519", "AES-CTR [RFC3686]", "HMAC-SHA-512-256 [RFC4868]", 20, 64},
		{"chacha20poly1305-x25519", "ChaCha20 with Poly1305 [RFC7634]", "NULL", 36, 0},
	} {
		t.Run(c.esp, func(t *testing.T) {
			l := newLab(t)
			left, right := l.pair(func(s *side) {
				s.top, s.esp = fmt.Sprintf("[debug]\nsave_keys = %q\n", l.path("keys-"+s.name)), c.esp
			})
			for _, name := range []string{"net", "lab"} {
				before := left.seen.count()
				if code, _, stderr := cli("rekey", name, "--socket", left.socket); code != exitOK {
					t.Fatal(stderr)
				}
				left.seen.await(t, "the rekeying of "+name, func(w *watcher) bool { return w.childRekeys+w.ikeRekeys > before })
			}
			for _, n := range []*node{left, right} {
				if err := n.stop(); err != nil {
					t.Error(err)
				}
				if !strings.Contains(n.log.String(), "KEYS ARE BEING SAVED") {
					t.Error("no warning")
				}
			}
			ikeLeft := table(t, l.path("keys-left/"+ikeTable), ikeColumns)
			ikeRight := table(t, l.path("keys-right/"+ikeTable), ikeColumns)
			if len(ikeLeft) != 2 || !slices.EqualFunc(sorted(ikeLeft), sorted(ikeRight), slices.Equal) {
				t.Errorf("the IKE keys of the two ends differ:\n%v\n%v", ikeLeft, ikeRight)
			}
			espLeft := table(t, l.path("keys-left/"+espTable), espColumns)
			espRight := table(t, l.path("keys-right/"+espTable), espColumns)
			if len(espLeft) != 4 || !slices.EqualFunc(sorted(espLeft), sorted(espRight), slices.Equal) {
				t.Errorf("the ESP keys of the two ends differ:\n%v\n%v", espLeft, espRight)
			}
			for _, row := range espLeft {
				if row[4] != c.encr || row[6] != c.integ || len(row[5]) != 2+2*c.key || len(row[7]) != 2+2*c.integKey {
					t.Errorf("%v", row)
				}
				if row[1] != "127.0.0.1" || row[2] != "127.0.0.1" || row[0] != "IPv4" {
					t.Errorf("%v", row)
				}
			}
		})
	}
}

func sorted(rows [][]string) [][]string {
	return slices.SortedFunc(slices.Values(rows), slices.Compare)
}

// TestKeyLogAppends: a restart keeps the keys of earlier captures; a directory that can't be had is an error.
func TestKeyLogAppends(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	for range 2 {
		k, err := newKeyLog(dir, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		k.write(k.ike, "line\n")
		k.close()
	}
	data, err := os.ReadFile(filepath.Join(dir, ikeTable))
	if err != nil || string(data) != "line\nline\n" {
		t.Errorf("%q, %v", data, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	_, err = newKeyLog(filepath.Join(dir, ikeTable, "below"), slog.New(slog.DiscardHandler))
	var pe *fs.PathError
	if !errors.As(err, &pe) || !strings.HasPrefix(err.Error(), "debug.save_keys: ") {
		t.Errorf("%v", err)
	}
}
