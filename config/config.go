package config

import (
	"crypto/sha256"
	"path/filepath"

	"esplanade/config/tree"
	"esplanade/ike/credential"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// Config is a whole configuration. See the package documentation for what holds of it.
type Config struct {
	// File is the name the configuration was read under.
	File string `key:"-"`

	Control Control `key:"control" reload:"restart"`
	Metrics Metrics `key:"metrics" reload:"restart"`
	Log     Log     `key:"log" reload:"restart"`
	// Hooks and Events are about commands of the operator, and about telling what happens.
	Hooks     Hooks      `key:"hooks" reload:"restart"`
	Events    EventsFeed `key:"events" reload:"restart"`
	TUN       TUN        `key:"tun" reload:"restart"`
	Dataplane Dataplane  `key:"dataplane" reload:"restart"`
	IKE       IKE        `key:"ike" reload:"keys"`
	Debug     Debug      `key:"debug" reload:"restart"`
	// Connections are the tables [connections.NAME], in the order of the file.
	Connections []*Connection `key:"connections" reload:"tables"`
	Secrets     Secrets       `key:"secrets" reload:"tables"`
	// Users are those that the gateway knows itself.
	Users Users `key:"users" reload:"keys"`
	// RADIUS are the servers that know others.
	RADIUS RADIUS `key:"radius" reload:"keys"`
	// Credentials are certificates and keys for all connections.
	Credentials Credentials `key:"credentials" reload:"keys"`
	// Authorities are the tables [authorities.NAME], in the order of the file.
	Authorities []*Authority `key:"authorities" reload:"tables"`
	// Pools are the tables [pools.NAME], in the order of the file.
	Pools []*Pool `key:"pools" reload:"tables"`
	// Set is what all of this comes to: what each connection proves itself with by signatures, and what it accepts.
	Set *credential.Set `key:"-"`
	// EAP is what users are checked with, and what this side proves itself with as a user.
	EAP *EAPSet `key:"-"`
	// uses and lists are the certificates and revocation lists in it, for [Config.CertificateRemarks].
	uses  []certUse `key:"-"`
	lists []listUse `key:"-"`
	// watch are the names by which certificates and keys were looked for, and contents are the hashes of the files that were found.
	watch    []string                     `key:"-"`
	contents map[string][sha256.Size]byte `key:"-"`

	// Warnings are what is legal but probably not meant, in the order of the file.
	Warnings []Problem `key:"-"`
	// file is the configuration of the file alone, nil if c is that, and loaded what there is in addition: see [Config.With].
	file   *Config `key:"-"`
	loaded *Loaded `key:"-"`
	// parts are what the loaded connections have come to.
	parts roll[*part]       `key:"-"`
	made  roll[*madeSecret] `key:"-"`
	// psks find the keys of the file, and morePSKs those that were loaded, which are the last loadedPSKs of Secrets.IKE.
	psks, morePSKs pskIndex `key:"-"`
	loadedPSKs     int      `key:"-"`
	// defaults are the proposals of connections that write none, where there are loaded ones.
	defaults map[wire.ProtocolID][]proposal.Proposal `key:"-"`
	// shelf and common are where the certificates and keys of the file, and what was loaded of them, are found.
	shelf  *shelf `key:"-"`
	common common `key:"-"`
	// inventory is what is there for all connections.
	inventory *Inventory `key:"-"`

	// Notes are what stands for what connections do not say, in the order of the file. They have no Want.
	Notes []Problem `key:"-"`
}

// Connection finds a connection by its name; nil if there is none.
func (c *Config) Connection(name string) *Connection {
	if p, ok := c.parts.find(name); ok {
		return p.conn
	}
	for _, n := range c.Connections[:max(0, len(c.Connections)-len(c.parts.order))] {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// document reads the whole document and then looks at what concerns several tables.
func (r *reader) document(root *tree.Table) *Config {
	t := r.top(root, Position{File: r.file, Line: 1, Column: 1})
	c := &Config{
		File:      r.file,
		Control:   readControl(t.sub("control")),
		Metrics:   readMetrics(t.sub("metrics")),
		Log:       readLog(t.sub("log")),
		Hooks:     readHooks(t.sub("hooks")),
		Events:    readEvents(t.sub("events")),
		TUN:       readTUN(t.sub("tun")),
		Dataplane: readDataplane(t.sub("dataplane")),
		IKE:       readIKE(t.sub("ike")),
		Debug:     readDebug(t.sub("debug")),
	}
	// Whether there are users, and of what kind, has a say in what connections mean.
	c.Secrets = readSecrets(t.sub("secrets"), filepath.Dir(r.file))
	c.psks = newPSKIndex(c.Secrets.IKE)
	c.Users = readUsers(t.sub("users"), filepath.Dir(r.file))
	c.RADIUS = readRADIUS(t.sub("radius"), filepath.Dir(r.file))
	for _, n := range t.sub("connections").each() {
		c.Connections = append(c.Connections, readConnection(n, c))
	}
	c.Credentials = readCredentials(t.sub("credentials"), filepath.Dir(r.file))
	c.keyForClients()
	for _, n := range t.sub("authorities").each() {
		c.Authorities = append(c.Authorities, readAuthority(n))
	}
	for _, n := range t.sub("pools").each() {
		c.Pools = append(c.Pools, readPool(n))
	}
	t.done()
	if !r.quiet {
		c.check(r)
	}
	return c
}

// check looks at what concerns several tables at once.
func (c *Config) check(r *reader) {
	if len(c.Connections) == 0 && len(r.errs) == 0 {
		want := "write a table [connections.NAME]"
		if r.folder {
			want = "write a section connections { NAME { … } } into swanctl.conf"
		}
		r.warnf(Position{File: c.File, Line: 1, Column: 1}, want, "there is no connection")
	}
	c.Notes = nil
	c.readDirectory(r)
	c.Set = c.makeSet(r)
	c.EAP = c.makeEAP()
	c.checkInferred()
	c.checkSecrets(r)
	c.checkRADIUS(r)
	c.checkEAP(r)
	c.checkRounds(r)
	c.checkPPKs(r)
	c.checkIdentities(r)
	c.checkLinks(r)
	c.checkMTU(r)
	c.checkPresets(r)
	c.checkPartners(r)
	c.checkNetstack(r)
	c.checkSameRemote(r)
	c.checkSameCallers(r)
	c.checkOverlaps(r)
	c.checkHeld(r)
	c.checkClients(r)
	c.checkSpecial(r)
	c.checkRequestIDs(r)
	c.checkPools(r)
}
