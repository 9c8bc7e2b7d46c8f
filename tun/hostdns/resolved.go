package hostdns

// runner runs a command with an input, see [Options].
type runner func(name string, args []string, input string) (string, error)

// resolved is systemd-resolved. It keeps the servers and domains of each link, and forgets them when the link goes. A domain that begins with
// "~" only routes: names are never completed with it. "~." has all names go to the servers of the link, and only there.
type resolved struct{ run runner }

func (resolved) name() string                              { return "systemd-resolved" }
func (resolved) prepare(Settings, *record) (record, error) { return record{}, nil }
func (resolved) changed(record) bool                       { return false } // what is said of a link stays with it

func (m resolved) set(s Settings, _ record) error {
	dns := []string{"dns", s.Device}
	for _, a := range s.Servers {
		dns = append(dns, a.String())
	}
	domains, all := []string{"domain", s.Device}, "no"
	for _, d := range s.Domains {
		domains = append(domains, "~"+d)
	}
	if len(s.Domains) == 0 {
		domains, all = append(domains, "~."), "yes"
	}
	// The domains first: with servers and no domain yet, a link takes part in the look-up of every name.
	for _, args := range [][]string{{"default-route", s.Device, all}, domains, dns} {
		if _, err := m.run("resolvectl", args, ""); err != nil {
			return err
		}
	}
	// "When an IKE Security Association (SA) is terminated, the DNS forwarding MUST be unconfigured. This includes … flushing all cached data":
	// https://www.rfc-editor.org/rfc/rfc8598#section-5 and what was cached before is of the outside.
	_, err := m.run("resolvectl", []string{"flush-caches"}, "")
	return err
}

func (m resolved) undo(r record) error {
	_, _ = m.run("resolvectl", []string{"revert", r.Device}, "") // fails when the link has gone, and its settings with it
	_, _ = m.run("resolvectl", []string{"flush-caches"}, "")     // what is stale goes by itself, only later
	return nil
}
