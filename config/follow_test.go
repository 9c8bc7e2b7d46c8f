package config

import (
	"slices"
	"testing"
)

// TestFollow: a folder that is read again counts for what it has, and leaves alone what it never had.
func TestFollow(t *testing.T) {
	load := func(l *Loaded, file, name, value string) *Loaded {
		t.Helper()
		s := section(name, "version", value)
		s.At = Position{File: file}
		l, err := l.WithConnection(s)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	const folder = "swanctl.conf"
	old := load(load(load(nil, folder, "stays", "0"), folder, "goes", "0"), folder, "taken", "0")
	current := load(load(old, OriginVICI, "own", "0"), OriginVICI, "taken", "2")
	next := load(load(nil, folder, "stays", "0"), folder, "new", "0")
	got := current.Follow(old, next)
	if names := got.Connections(); !slices.Equal(names, []string{"stays", "taken", "own", "new"}) {
		t.Errorf("there is %v", names)
	}
	if again := got.Follow(next, next); again != got {
		t.Error("what has not changed makes another value")
	}
	// What commands have changed is put back.
	without, _ := load(got, OriginVICI, "new", "2").WithoutConnection("stays")
	back := without.Follow(next, next)
	if names := back.Connections(); !slices.Equal(names, []string{"taken", "own", "new", "stays"}) || back.Connection("new").At.File != folder {
		t.Errorf("there is %v, new is of %s", names, back.Connection("new").At)
	}
	if (*Loaded)(nil).Follow(nil, nil) != nil {
		t.Error("nothing makes something")
	}
	secret := Shared{ID: "ike-1", At: Position{File: folder}, Kind: "ike", Data: NewSecret([]byte("7Hq2vXw9Lk4Tz8"))}
	with, err := next.WithShared(secret)
	if err != nil {
		t.Fatal(err)
	}
	if ids := got.Follow(next, with).SharedIDs(); !slices.Equal(ids, []string{"ike-1"}) {
		t.Errorf("the secrets are %v", ids)
	}
	if ids := got.Follow(next, with).Follow(with, next).SharedIDs(); len(ids) > 0 {
		t.Errorf("the secrets are %v", ids)
	}
}
