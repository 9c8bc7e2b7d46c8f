package diag

import "testing"

// A child that is misspelt is found with and without its connection's name in front.
func TestNearestName(t *testing.T) {
	have := []string{"office/net", "office/voice", "lab/servers"}
	for name, want := range map[string]string{
		"nett": "office/net", "ofice/net": "office/net", "Voice": "office/voice", "server": "lab/servers", "quite other": "",
	} {
		if got := nearest(name, have); got != want {
			t.Errorf("nearest to %q is %q, not %q", name, got, want)
		}
	}
}
