package guess

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"esplanade/ike/eap"
)

// maxShown is how many of each kind a [Report] names: those with most wrong passwords.
const maxShown = 4

// Report is what there is to know of a table at a moment.
type Report struct {
	Stats
	// Paused is how many pauses of each kind there are, and Shown are some of them, those of users first.
	Paused [eap.Pauses]int
	Shown  []Paused
}

// Paused is a pause with whom it is for: Name is "" for one of a source, Source is not valid for one of a name. Strangers can make both up,
// but that they have to be at Source. The name is folded.
type Paused struct {
	eap.Pause
	Name   string
	Source netip.Addr
}

// Report may be called by any goroutine.
func (t *Table) Report(now time.Time) Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Report{Stats: t.stats}
	add(&r, now, t.users, eap.PauseOfUser, func(k from) Paused { return Paused{Name: k.name, Source: k.addr} })
	add(&r, now, t.names, eap.PauseOfName, func(k string) Paused { return Paused{Name: k} })
	add(&r, now, t.sources, eap.PauseOfSource, func(k netip.Addr) Paused { return Paused{Source: k} })
	return r
}

// add adds the pauses of a kind.
func add[K comparable](r *Report, now time.Time, m meter[K], of eap.PauseOf, who func(K) Paused) {
	var list []Paused
	for _, x := range m.order {
		left := x.v.pause.Sub(now)
		if left <= 0 {
			continue
		}
		p := who(x.key)
		p.Pause = eap.Pause{Of: of, Wrong: m.count(now, x), Left: left}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Paused) int {
		return cmp.Or(cmp.Compare(b.Wrong, a.Wrong), strings.Compare(a.Name, b.Name), a.Source.Compare(b.Source))
	})
	r.Paused[of] = len(list)
	r.Shown = append(r.Shown, list[:min(len(list), maxShown)]...)
}
