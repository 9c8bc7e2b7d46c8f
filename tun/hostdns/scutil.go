package hostdns

import "strings"

// scutil is the dynamic store of macOS, in which each service has its DNS servers. A service with SupplementalMatchDomains is asked for those
// domains only; with the empty one among them, for all.
type scutil struct{ run runner }

func (scutil) name() string                              { return "scutil" }
func (scutil) prepare(Settings, *record) (record, error) { return record{}, nil }
func (scutil) changed(record) bool                       { return false }

// key is the service of a device.
func key(device string) string { return "State:/Network/Service/esplanade-" + device + "/DNS" }

func (m scutil) set(s Settings, _ record) error {
	servers := make([]string, len(s.Servers))
	for i, a := range s.Servers {
		servers[i] = a.String()
	}
	domains := `""`
	if len(s.Domains) > 0 {
		domains = strings.Join(s.Domains, " ")
	}
	return m.commands("d.init", "d.add ServerAddresses * "+strings.Join(servers, " "), "d.add SupplementalMatchDomains * "+domains,
		"d.add SupplementalMatchDomainsNoSearch # 1", "set "+key(s.Device))
}

func (m scutil) undo(r record) error { return m.commands("remove " + key(r.Device)) }

// commands has scutil do what it reads, line by line.
func (m scutil) commands(lines ...string) error {
	_, err := m.run("scutil", nil, strings.Join(append(lines, "quit"), "\n")+"\n")
	return err
}
