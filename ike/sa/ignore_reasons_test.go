package sa

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// Every reason is on the list, which the metrics begin with.
func TestIgnoreReasons(t *testing.T) {
	text, err := os.ReadFile("output.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\tIgnore\w+ +IgnoreReason = "(\w+)"`).FindAllStringSubmatch(string(text), -1)
	if len(found) < 20 || len(found) != len(IgnoreReasons()) {
		t.Errorf("%d reasons, %d on the list", len(found), len(IgnoreReasons()))
	}
	for _, r := range found {
		if !slices.Contains(IgnoreReasons(), IgnoreReason(r[1])) {
			t.Errorf("%s is not on the list", r[1])
		}
	}
}
