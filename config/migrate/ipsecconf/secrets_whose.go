package ipsecconf

import (
	"esplanade/config/migrate"
	"esplanade/config/tree"
	"esplanade/ike/identity"
)

// sharedKeys are the pre-shared keys of ipsec.secrets, by whom they name.
type sharedKeys struct {
	entries []secretEntry
	byID    map[string][]int // the entries that name an identity, by its key
	anybody []int            // the entries that are for anybody, by themselves or with others
	// open are the entries that are for peers that they do not name: those for anybody, and those that name this side alone. named says that there
	// are others.
	open  map[int]bool
	named bool
}

// idKey is the same for two ways to write an identity.
func idKey(text string) string {
	id, err := identity.Parse(text)
	if text == "" || err != nil {
		return text
	}
	return id.Key()
}

// sharedKeys finds out whom the keys are for.
func (r *reader) sharedKeys(entries []secretEntry, list []*made) *sharedKeys {
	here, there := map[string]bool{}, map[string]bool{}
	for _, m := range list {
		if m.psk {
			here[idKey(m.hereID)], there[idKey(m.thereID)] = true, true
		}
	}
	k := &sharedKeys{entries: entries, byID: map[string][]int{}, open: map[int]bool{}}
	for i, e := range entries {
		if e.kind != "PSK" {
			continue
		}
		ids, anybody := r.identities(e)
		for _, id := range ids {
			k.byID[idKey(id)] = append(k.byID[idKey(id)], i)
		}
		if anybody {
			k.anybody = append(k.anybody, i)
		}
		// A key that names one identity, which is this side's and no peer's, is one for all peers of it there.
		if anybody || len(ids) == 1 && here[idKey(ids[0])] && !there[idKey(ids[0])] {
			k.open[i] = true
		} else {
			k.named = true
		}
	}
	return k
}

// best is the key that the source takes for a connection: the one that names the peer and this side, then one that names the peer, then one
// that names this side, then one for anybody. It is -1 if there is none.
func (k *sharedKeys) best(m *made) int {
	score := map[int]int{}
	add := func(list []int, points int) {
		for _, i := range list {
			score[i] += points
		}
	}
	if m.thereID != "" {
		add(k.byID[idKey(m.thereID)], 4)
	}
	if m.hereID != "" {
		add(k.byID[idKey(m.hereID)], 2)
	}
	if len(score) == 0 && len(k.anybody) > 0 {
		return k.anybody[0]
	}
	best, most := -1, 0
	for i, s := range score {
		if s > most || s == most && i < best {
			best, most = i, s
		}
	}
	return best
}

// ownKeys gives connections keys of their own where ours would be chosen otherwise: there, a key that names this side alone is one for every peer
// of it, and of several the one that names this side is taken. It returns the entries that need not be written any more.
func (r *reader) ownKeys(k *sharedKeys, list []*made) map[int]bool {
	own := map[int]bool{}
	if len(k.open) < 2 { // there is nothing to choose
		return own
	}
	for _, m := range list {
		if !m.psk || m.thereID == "" && k.named { // peers of it may have keys of their own
			continue
		}
		i := k.best(m)
		if i < 0 || !k.open[i] || len(k.entries[i].args) == 0 {
			continue
		}
		if secret, ok := k.entries[i].args[0].octets(); ok {
			r.Draft.Secret(m.ike, tree.Entry{At: k.entries[i].at}, migrate.SecretText(secret), migrate.TableName(m.conn.name), ".psk")
			own[i] = true
		}
	}
	return own
}
