package vici

import (
	"errors"
	"slices"
	"testing"
)

// Every command of strongSwan 5.9.8 and 6.0 is known.
func TestEveryCommandIsKnown(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	for _, cmd := range []string{
		"version", "stats", "reload-settings", "initiate", "terminate", "rekey", "redirect", "install", "uninstall", "list-sas", "list-policies",
		"list-conns", "get-conns", "list-certs", "list-authorities", "get-authorities", "load-conn", "unload-conn", "load-cert", "load-key",
		"unload-key", "get-keys", "load-token", "load-shared", "unload-shared", "get-shared", "flush-certs", "clear-creds", "load-authority",
		"unload-authority", "load-pool", "unload-pool", "get-pools", "get-algorithms", "get-counters", "reset-counters",
	} {
		if _, err := c.Call(t.Context(), cmd, new(Message).Set("child", "net").Set("gateway", "192.0.2.9")); errors.Is(err, ErrUnknownCommand) {
			t.Errorf("%s: %v", cmd, err)
		}
	}
}

func TestListPolicies(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	for _, tt := range []struct {
		req  *Message
		want []string
	}{
		{new(Message).Set("trap", "yes").Set("drop", "yes").Set("pass", "yes"), []string{"office/net", "lab/all"}},
		{new(Message).Set("trap", "yes"), []string{"office/net"}},
		{new(Message).Set("drop", "yes"), []string{"lab/all"}},
		{new(Message).Set("pass", "yes"), nil},
		{new(Message).Set("trap", "yes").Set("child", "all"), nil},
		{new(Message).Set("trap", "yes").Set("ike", "office"), []string{"office/net"}},
		{new(Message).Set("trap", "yes").Set("ike", "lab"), nil},
		{nil, nil},
	} {
		var got []string
		if _, err := c.Stream(t.Context(), "list-policies", EventListPolicy, tt.req, func(m *Message) error {
			for name := range m.Sections() {
				got = append(got, name)
			}
			return nil
		}); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%v: %q, %v, want %q", tt.req, got, err, tt.want)
		}
	}
	if m, err := c.Call(t.Context(), "list-policies", new(Message).Set("trap", "maybe")); err == nil || m.Get("success") != "no" {
		t.Errorf("%v, %v", m, err)
	}
}
