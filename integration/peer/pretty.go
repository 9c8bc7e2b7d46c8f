//go:build linux

package peer

import (
	"fmt"
	"strings"
)

// Section is a node of a VICI message as "swanctl --pretty" prints it: keys with a value, keys with a list, and
// named sections, in the order of the message.
type Section struct {
	Name     string
	Keys     []string // of all three kinds, in order
	Values   map[string]string
	Lists    map[string][]string
	Sections []*Section
}

func newSection(name string) *Section {
	return &Section{Name: name, Values: map[string]string{}, Lists: map[string][]string{}}
}

// Section finds a section by name; it is empty when there is none.
func (s *Section) Section(name string) *Section {
	for _, c := range s.Sections {
		if c.Name == name {
			return c
		}
	}
	return newSection(name)
}

// ParsePretty reads the output of a swanctl command with --pretty: one top section per message, named by the
// words in front of its brace ("list-sa event").
func ParsePretty(text string) ([]*Section, error) {
	root := newSection("")
	stack := []*Section{root}
	list := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		top := stack[len(stack)-1]
		name, value, isValue := strings.Cut(line, " = ")
		switch {
		case line == "":
		case list != "" && line == "]":
			list = ""
		case list != "":
			top.Lists[list] = append(top.Lists[list], line)
		case isValue && value == "[":
			list = name
			top.Keys = append(top.Keys, name)
			top.Lists[name] = nil
		case strings.HasSuffix(line, " ="): // an empty value
			name = strings.TrimSuffix(line, " =")
			top.Keys = append(top.Keys, name)
			top.Values[name] = ""
		case isValue:
			top.Keys = append(top.Keys, name)
			top.Values[name] = value
		case strings.HasSuffix(line, " {"):
			s := newSection(strings.TrimSuffix(line, " {"))
			top.Keys = append(top.Keys, s.Name)
			top.Sections = append(top.Sections, s)
			stack = append(stack, s)
		case line == "}" && len(stack) > 1:
			stack = stack[:len(stack)-1]
		default:
			return nil, fmt.Errorf("swanctl --pretty, line %d: %q is no part of a message", i+1, line)
		}
	}
	if len(stack) != 1 {
		return nil, fmt.Errorf("swanctl --pretty: section %q isn't closed", stack[len(stack)-1].Name)
	}
	return root.Sections, nil
}

// IKESA is one IKE SA as VICI lists it.
type IKESA struct {
	Name, UniqueID, State string
	SPIi, SPIr            string // hexadecimal
	Local, Remote         string // address[port]
	LocalID, RemoteID     string
	Initiator             bool
	Encr, Integ, PRF, DH  string
	Children              []ChildSA
	Section               *Section
}

// ChildSA is one CHILD SA as VICI lists it.
type ChildSA struct {
	Name, UniqueID, State, Mode string
	Encap                       bool
	SPIIn, SPIOut               string // hexadecimal
	Encr, KeySize, Integ, DH    string
	BytesIn, BytesOut           string
	LocalTS, RemoteTS           []string
	Section                     *Section
}

func parseSAs(pretty string) ([]IKESA, error) {
	messages, err := ParsePretty(pretty)
	if err != nil {
		return nil, err
	}
	var all []IKESA
	for _, m := range messages {
		if !strings.HasPrefix(m.Name, "list-sa ") {
			continue // the reply that ends the list
		}
		for _, s := range m.Sections {
			all = append(all, ikeSA(s))
		}
	}
	return all, nil
}

func ikeSA(s *Section) IKESA {
	v := s.Values
	sa := IKESA{
		Name: s.Name, UniqueID: v["uniqueid"], State: v["state"], SPIi: v["initiator-spi"], SPIr: v["responder-spi"],
		Local: v["local-host"] + "[" + v["local-port"] + "]", Remote: v["remote-host"] + "[" + v["remote-port"] + "]",
		LocalID: v["local-id"], RemoteID: v["remote-id"], Initiator: v["initiator"] == "yes",
		Encr: v["encr-alg"] + keySuffix(v["encr-keysize"]), Integ: v["integ-alg"], PRF: v["prf-alg"], DH: v["dh-group"], Section: s,
	}
	for _, c := range s.Section("child-sas").Sections {
		v := c.Values
		sa.Children = append(sa.Children, ChildSA{
			Name: v["name"], UniqueID: v["uniqueid"], State: v["state"], Mode: v["mode"], Encap: v["encap"] == "yes",
			SPIIn: v["spi-in"], SPIOut: v["spi-out"],
			Encr: v["encr-alg"] + keySuffix(v["encr-keysize"]), Integ: v["integ-alg"], DH: v["dh-group"],
			BytesIn: v["bytes-in"], BytesOut: v["bytes-out"],
			LocalTS: c.Lists["local-ts"], RemoteTS: c.Lists["remote-ts"], Section: c,
		})
	}
	return sa
}

func keySuffix(size string) string {
	if size == "" {
		return ""
	}
	return "-" + size
}
