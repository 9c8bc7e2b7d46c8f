package vici

import (
	"strings"
	"testing"

	"esplanade/ike/diag"
)

// What is not there is said in strongSwan's words first, and then in ours.
func TestStrongSwansWordsFirst(t *testing.T) {
	b := newFake()
	b.err = diag.UnknownName(diag.Where{ConfigLine: "gw.toml"}, "connection or child", "x", []string{"office/net"})
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	for _, tc := range []struct {
		command string
		request *Message
		want    string
	}{
		{"initiate", new(Message).Set("child", "x"), "CHILD_SA config 'x' not found: E-CONFIG"},
		{"initiate", new(Message).Set("ike", "x"), "IKE_SA config 'x' not found: E-CONFIG"},
		{"initiate", new(Message).Set("ike", "x").Set("children", "yes"), "E-CONFIG"},
		{"terminate", new(Message).Set("ike", "x"), "no matching SAs to terminate found: E-CONFIG"},
		{"rekey", new(Message).Set("child", "x"), "no matching SAs to rekey found: E-CONFIG"},
		{"redirect", new(Message).Set("ike", "x").Set("gateway", "192.0.2.9"), "no matching SAs to redirect found: E-CONFIG"},
		{"install", new(Message).Set("child", "x"), "configuration name not found: E-CONFIG"},
		{"uninstall", new(Message).Set("child", "x"), "policy 'x' not found: E-CONFIG"},
	} {
		_, err := c.Call(t.Context(), tc.command, tc.request)
		if err == nil || !strings.HasPrefix(err.Error(), tc.want+": the configuration does not provide for it") || !strings.HasSuffix(err.Error(), "reload.") {
			t.Errorf("%s %s: %v", tc.command, tc.request, err)
		}
	}
	b.set(func() { b.err = diag.Ambiguous(diag.Where{}, "x", []string{"a/x", "b/x"}) })
	if _, err := c.Call(t.Context(), "initiate", new(Message).Set("child", "x")); err == nil || !strings.HasPrefix(err.Error(), "establishing CHILD_SA 'x' failed: E-CONFIG") {
		t.Errorf("several of that name: %v", err)
	}
}
