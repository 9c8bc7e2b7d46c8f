package contest

import (
	"errors"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// The build without encryption is made from the present source, so it has to fit.
func TestWithoutEncryption(t *testing.T) {
	source, err := os.ReadFile("../../esp/key.go")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := withoutEncryption(source)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(changed), "k.aead = noEncryption(") || len(changed) <= len(source) {
		t.Error("nothing was changed")
	}
	for name, text := range map[string]string{"key.go": string(changed), "noencryption.go": noEncryption, "profile.go": profiler} {
		if _, err := parser.ParseFile(token.NewFileSet(), name, text, parser.AllErrors); err != nil {
			t.Error(err)
		}
	}
	for _, other := range []string{"", "package esp\n", string(source) + keyMade} {
		if _, err := withoutEncryption([]byte(other)); !errors.Is(err, errAnchor) {
			t.Errorf("%d bytes of another source: %v", len(other), err)
		}
	}
}
