package swanctl

import (
	"slices"
	"strings"

	"esplanade/config/tree"
)

// radiusKeys are the keys of the plugin eap-radius that are keys of our table [radius] as they are, and radiusTimes those that are times.
var (
	radiusKeys   = []string{"accounting", "class_group", "filter_id", "nas_identifier", "retransmit_base", "retransmit_tries", "sockets", "station_id_with_port"}
	radiusTimes  = []string{"accounting_interval", "retransmit_timeout"}
	radiusServer = []string{"address", "secret", "acct_port", "preference", "sockets", "retransmit_base", "retransmit_tries"}
)

// radiusNeutral are the others, with the value with which they change nothing.
var radiusNeutral = map[string]string{
	"accounting_close_on_timeout": "yes", "accounting_requires_vip": "no", "accounting_send_class": "no", "close_all_on_timeout": "no", "eap_start": "no", "id_prefix": "",
}

// radius takes the section of the plugin eap-radius.
func (r *daemonReader) radius(s *tree.Table) {
	const path = "charon.plugins.eap-radius"
	single := tree.New("")
	for e := range s.All() {
		text, _ := e.Value.Data.(tree.Text)
		value := strings.TrimSpace(string(text))
		below, isSection := e.Value.Data.(*tree.Table)
		switch {
		case e.Name == "load":
		case slices.Contains(radiusKeys, e.Name):
			r.set(e, value, "radius", e.Name)
		case slices.Contains(radiusTimes, e.Name):
			r.set(e, seconds(value), "radius", e.Name)
		case e.Name == "server":
			single.AddAt("address", e.At, e.Value.At, e.Value.Data)
		case e.Name == "secret" || e.Name == "port":
			single.AddAt(e.Name, e.At, e.Value.At, e.Value.Data)
		case e.Name == "servers" && isSection:
			for server := range below.All() {
				if t, ok := server.Value.Data.(*tree.Table); ok {
					r.radiusServer(server, t, path+".servers."+server.Name)
				}
			}
		case e.Name == "dae" && isSection:
			for k := range below.All() {
				text, _ := k.Value.Data.(tree.Text)
				r.set(k, string(text), "radius", "dae", k.Name)
			}
		case !isSection && same(value, radiusNeutral[e.Name]):
		default:
			r.unknown(e, path)
		}
	}
	if e, ok := single.Get("address"); ok && sub(s, "servers") == nil {
		e.Name = "server"
		r.radiusServer(e, single, path)
	}
	if r.table("radius").Len() > 0 {
		if _, ok := s.Get("nas_identifier"); !ok {
			r.table("radius").Add("nas_identifier", tree.Position{File: r.File}, tree.Text(defaultNAS))
		}
	}
}

// radiusServer takes the section of a server.
func (r *daemonReader) radiusServer(at tree.Entry, s *tree.Table, path string) {
	r.table("radius", "servers").AddAt(at.Name, at.At, at.Value.At, tree.New(at.At.File))
	for e := range s.All() {
		text, _ := e.Value.Data.(tree.Text)
		value := strings.TrimSpace(string(text))
		switch {
		case slices.Contains(radiusServer, e.Name):
			r.set(e, value, "radius", "servers", at.Name, e.Name)
		case e.Name == "auth_port" || e.Name == "port":
			r.set(e, value, "radius", "servers", at.Name, "auth_port")
		case e.Name == "retransmit_timeout":
			r.set(e, seconds(value), "radius", "servers", at.Name, e.Name)
		default:
			r.unknown(e, path)
		}
	}
}
