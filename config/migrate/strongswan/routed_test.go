package strongswan

import (
	"testing"

	"esplanade/config/tree"
)

// A child with everything that goes by routes to a device would take all of the host's traffic here.
func TestRouted(t *testing.T) {
	for _, c := range []struct {
		remote, key, id string
		want            bool
	}{
		{"0.0.0.0/0", "if_id_out", "1337", true},
		{"0.0.0.0/0", "mark_in", "%unique", true},
		{"10.1.0.0/16, ::/0", "if_id_in", "0x2a", true},
		{"0.0.0.0/0", "if_id_in", "0", false},
		{"0.0.0.0/0", "reqid", "5", false},
		{"10.1.0.0/16", "if_id_out", "1337", false},
		{"", "if_id_out", "1337", false},
	} {
		from := tree.New("test")
		from.AddText("remote_ts", c.remote)
		from.AddText(c.key, c.id)
		if f := routed(from); (f != nil) != c.want {
			t.Errorf("%q with %s = %s: %v", c.remote, c.key, c.id, f)
		}
	}
}
