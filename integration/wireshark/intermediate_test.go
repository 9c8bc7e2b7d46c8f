package wireshark

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFirstKeys(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "first")
	if err := os.WriteFile(filepath.Join(from, IKETable), []byte("01,02,aa,1\n01,03,bb,2\n01,02,cc,3\n01,02,dd,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := FirstKeys(from, to); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(to, IKETable))
	if want := "01,02,aa,1\n01,03,bb,2\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if err := FirstKeys(t.TempDir(), to); err == nil {
		t.Error("no error without keys")
	}
}

func TestByExchange(t *testing.T) {
	those, others := ByExchange([]Frame{{Number: 1, Exchange: "34"}, {Number: 2, Exchange: "43"}, {Number: 3}}, ExchangeIntermediate)
	if len(those) != 1 || those[0].Number != 2 || len(others) != 2 {
		t.Errorf("%v and %v", those, others)
	}
}
