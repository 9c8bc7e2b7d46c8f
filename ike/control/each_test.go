package control

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/vici"
)

// manyConnections is a configuration with n connections, c000, c001 and so on.
func manyConnections(t *testing.T, n int) *config.Config {
	t.Helper()
	head, tail, _ := strings.Cut(office, "[secrets")
	var text strings.Builder
	for i := range n {
		text.WriteString(strings.NewReplacer("office", fmt.Sprintf("c%03d", i), "ppk_id = \"office\"\nppk_required = false\n", "", "10.2.0.0/16", fmt.Sprintf("10.%d.%d.0/24", 100+i/250, i%250),
			"192.0.2.2", fmt.Sprintf("198.51.%d.%d", 100+i/250, 1+i%250), "b.example", fmt.Sprintf("b%d.example", i)).Replace(head))
	}
	tail, _, _ = strings.Cut("[secrets"+tail, "[secrets.ppk")
	c, err := config.Parse("test.toml", []byte(text.String()+tail))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A list has each connection once, though they are copied in turns, and the configuration is loaded again in between.
func TestEachConnection(t *testing.T) {
	const many = 300
	conf := manyConnections(t, many)
	c := Commands{stillOf(conf)}
	seen := map[string]int{}
	if _, err := c.EachConn(t.Context(), "", func(i gateway.ConnInfo) error {
		seen[i.Conf.Name]++
		if len(seen) == 200 {
			if _, err := c.Reload(t.Context(), conf); err != nil {
				t.Fatal(err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", name, n)
		}
	}
	if len(seen) != many {
		t.Errorf("%d connections", len(seen))
	}
	// One of them alone costs no more than that; the gateway's numbers are those of all.
	var names []string
	info, err := c.EachConn(t.Context(), "c007", func(i gateway.ConnInfo) error { names = append(names, i.Conf.Name); return nil })
	if err != nil || len(names) != 1 || names[0] != "c007" || info.IKESAs != many || len(info.Conns) != 0 {
		t.Errorf("one of them: %v, %d IKE SAs, %d copied, %v", names, info.IKESAs, len(info.Conns), err)
	}
	stop := errors.New("enough")
	n := 0
	if _, err := c.EachConn(t.Context(), "", func(gateway.ConnInfo) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("a list that is not wanted any more goes on: %d, %v", n, err)
	}
}

// Whoever asks for the status of what is not there is told so, and of what there is.
func TestStatusOfNobody(t *testing.T) {
	b, _ := backend(t, office)
	b.DataPath, b.Drops = func() vici.DataPath { return vici.DataPath{} }, func() []vici.Drop { return nil }
	for name, want := range map[string]string{"office": "", "": "", "offise": "did you mean 'office'"} {
		n := 0
		_, err := b.Status(t.Context(), name, func(vici.ConnStatus) error { n++; return nil })
		if want == "" && (err != nil || n != 1) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %d, %v", name, n, err)
		}
	}
}
