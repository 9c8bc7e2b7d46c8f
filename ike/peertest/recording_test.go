package peertest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var updateFlag = flag.Bool("update", false, "write the ladders of the recordings")

// What strongSwan says to strongSwan is opened from the first message to the last, and each AUTH value is the one that the
// formula gives: packages wire and suite, and this package, read the RFC as strongSwan does.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			rec, err := Read(f)
			if err != nil {
				t.Fatal(err)
			}
			steps, err := rec.Open()
			if err != nil {
				t.Fatalf("%v\n%s", err, Ladder(steps))
			}
			golden := strings.TrimSuffix(path, ".txt") + ".ladder"
			if *updateFlag {
				if err := os.WriteFile(golden, []byte(Ladder(steps)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := Ladder(steps); got != string(want) {
				t.Errorf("the ladder is\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A recording that says anything else is an error, and so is one whose secrets or messages are not what they were.
func TestRecordingMalformed(t *testing.T) {
	b, err := os.ReadFile("testdata/aead.txt")
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	for name, edit := range map[string]func(string) string{
		"unknown word":     func(s string) string { return "what 1\n" + s },
		"odd hex":          func(s string) string { return s + "a 500 500 abc\n" },
		"no port":          func(s string) string { return s + "a 500 ab\n" },
		"another key":      func(s string) string { return strings.Replace(s, "psk ", "psk x", 1) },
		"a secret is left": func(s string) string { return s + "shared 00\n" },
		"a secret is missing": func(s string) string {
			i := strings.LastIndex(s, "shared ")
			return s[:i] + s[i+strings.Index(s[i:], "\n")+1:]
		},
		"another secret": func(s string) string { return strings.Replace(s, "shared ", "shared 00", 1) },
		"a cut message":  func(s string) string { return strings.TrimSpace(s)[:len(strings.TrimSpace(s))-2] + "\n" },
		"its first message is missing": func(s string) string {
			i := strings.Index(s, "\na 500")
			return s[:i+1] + s[i+1+strings.Index(s[i+1:], "\n")+1:]
		},
	} {
		rec, err := Read(strings.NewReader(edit(good)))
		if err == nil {
			_, err = rec.Open()
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
