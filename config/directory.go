package config

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"esplanade/ike/aaa"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
)

// Directory are the users that a gateway knows itself: those of the users file and of [secrets.eap.NAME] and [secrets.ntlm.NAME]. It
// implements [eap.Users], is never changed, and may be used by any goroutine. A nil *Directory has no users.
type Directory struct {
	byName map[string]*UserEntry // by identity.FoldUser of the name
	order  []*UserEntry
}

// UserEntry is a user with where it is written.
type UserEntry struct {
	// User is what is known of it. Its Name is as it is written.
	User aaa.User
	// At is where it is written.
	At Position
	// PlainText says that the password itself is there, and not its hash alone.
	PlainText bool
	// Disabled and Expired say that its password counts no more, or not until it is changed.
	Disabled, Expired bool

	secret eap.Secret
}

// add adds a user. It returns the one that has the name already.
func (d *Directory) add(e *UserEntry) (other *UserEntry) {
	key := identity.FoldUser(e.User.Name)
	if o, ok := d.byName[key]; ok {
		return o
	}
	if d.byName == nil {
		d.byName = map[string]*UserEntry{}
	}
	d.byName[key] = e
	d.order = append(d.order, e)
	return nil
}

// Find finds a user by the name that it has given itself. Small and capital letters of ASCII are the same. `DOMAIN\name`, as Windows
// says it, is also whoever is just called "name".
func (d *Directory) Find(name string) (*UserEntry, bool) {
	if d == nil {
		return nil, false
	}
	key := identity.FoldUser(name)
	e, ok := d.byName[key]
	if i := strings.LastIndexByte(key, '\\'); !ok && i >= 0 {
		e, ok = d.byName[key[i+1:]]
	}
	return e, ok
}

// User implements [eap.Users].
func (d *Directory) User(name string) (eap.Secret, aaa.User, bool) {
	e, ok := d.Find(name)
	if !ok {
		return eap.Secret{}, aaa.User{}, false
	}
	return e.secret, e.User, true
}

// Len is how many users there are.
func (d *Directory) Len() int {
	if d == nil {
		return 0
	}
	return len(d.order)
}

// All are the users in the order in which they are written.
func (d *Directory) All() iter.Seq[*UserEntry] {
	if d == nil {
		return func(func(*UserEntry) bool) {}
	}
	return slices.Values(d.order)
}

// Addresses are those that belong to users, and that nobody else is to be given.
func (d *Directory) Addresses() map[netip.Addr]string {
	out := map[netip.Addr]string{}
	for e := range d.All() {
		for _, a := range e.User.Addresses {
			out[a] = e.User.Name
		}
	}
	return out
}

// Groups are the names of all groups that somebody is in, sorted.
func (d *Directory) Groups() []string {
	all := map[string]bool{}
	for e := range d.All() {
		for _, g := range e.User.Groups {
			all[g] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
