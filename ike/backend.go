package ike

import (
	"context"
	"runtime"
	"strings"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/vici"
	"esplanade/ike/wire"
)

// Backend makes a daemon speak VICI. The functions are what only the program knows that wires everything together; all
// of them may be called from any goroutine.
type Backend struct {
	Daemon *Daemon
	// About says what runs.
	About vici.Version
	// DataPath and Drops describe the packet loop.
	DataPath func() vici.DataPath
	Drops    func() []vici.Drop
	// Reload loads the configuration again; nil when that is not possible.
	Reload func(ctx context.Context) error
	// EventsDropped tells how many events slow clients have missed.
	EventsDropped func() uint64
}

var _ vici.Backend = (*Backend)(nil)

// Version implements vici.Backend.
func (b *Backend) Version() vici.Version { return b.About }

// Stats implements vici.Backend.
func (b *Backend) Stats(ctx context.Context) (vici.Stats, error) {
	info, err := b.Daemon.Info(ctx)
	if err != nil {
		return vici.Stats{}, err
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s := vici.Stats{
		Since: info.Since, Workers: b.DataPath().Workers, Queued: info.Queued, IKESAs: info.IKESAs, HalfOpen: info.HalfOpen,
		HeapBytes: mem.HeapAlloc, HeapObjects: mem.HeapObjects,
	}
	for _, f := range b.DataPath().Features {
		if f.Used {
			s.Features = append(s.Features, f.Name)
		}
	}
	return s, nil
}

// ListSAs implements vici.Backend.
func (b *Backend) ListSAs(ctx context.Context, filter vici.SAFilter, yield func(vici.IKESA) error) error {
	info, err := b.Daemon.Info(ctx)
	if err != nil {
		return err
	}
	for _, c := range info.Conns {
		if filter.IKE != "" && filter.IKE != c.Conf.Name {
			continue
		}
		for _, s := range c.SAs {
			if filter.IKEID != 0 && filter.IKEID != uint32(s.ID) {
				continue
			}
			v := IKESA(s)
			for _, ch := range s.Children {
				if filter.Child != "" && filter.Child != ch.Name || filter.ChildID != 0 && filter.ChildID != uint32(ch.ID) {
					continue
				}
				counters, _ := b.Daemon.o.DataPlane.Counters(ch.ID)
				v.Children = append(v.Children, ChildSA(ch, counters))
			}
			if (filter.Child != "" || filter.ChildID != 0) && len(v.Children) == 0 {
				continue
			}
			if err := yield(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// IKESA is a snapshot as VICI shows it, without its children.
func IKESA(s sa.Snapshot) vici.IKESA {
	v := vici.IKESA{
		Name: s.Connection, UniqueID: uint32(s.ID), Version: 2, State: s.State.String(), Local: s.Path.Local, Remote: s.Path.Remote,
		LocalID: s.LocalID.String(), RemoteID: s.RemoteID.String(), Initiator: s.Initiator,
		InitiatorSPI: uint64(s.SPIi), ResponderSPI: uint64(s.SPIr), NATLocal: s.NATLocal, NATRemote: s.NATRemote, NATFake: s.NATForced,
		Resumed:    s.Resumed,
		Algorithms: algorithms(s.Chosen), Established: s.Established, RekeyAt: s.RekeyAt, ReauthAt: s.ReauthAt,
		PPK: s.PPK != "",
	}
	for i, t := range s.Tasks {
		if i == 0 && s.State != sa.StateEstablished {
			v.TasksActive = append(v.TasksActive, taskName(t))
		} else {
			v.TasksQueued = append(v.TasksQueued, taskName(t))
		}
	}
	return v
}

// taskName is strongSwan's word for a task.
func taskName(t string) string {
	switch {
	case t == "IKE_SA_INIT":
		return "IKE_INIT"
	case t == "IKE_SESSION_RESUME":
		return "IKE_RESUME"
	case t == "IKE_AUTH":
		return "IKE_AUTH"
	case t == "liveness check":
		return "IKE_DPD"
	case t == "update the addresses", t == "announce the addresses", t == "check the peer's address":
		return "IKE_MOBIKE"
	case t == "rekey IKE SA":
		return "IKE_REKEY"
	case t == "delete IKE SA":
		return "IKE_DELETE"
	case strings.HasPrefix(t, "create child"):
		return "CHILD_CREATE"
	case strings.HasPrefix(t, "rekey child"):
		return "CHILD_REKEY"
	case strings.HasPrefix(t, "delete child"):
		return "CHILD_DELETE"
	}
	return "IKE_INFORMATIONAL"
}

// ChildSA is a snapshot with counters as VICI shows it.
func ChildSA(s sa.ChildSnapshot, c Counters) vici.ChildSA {
	return vici.ChildSA{
		Name: s.Name, UniqueID: uint32(s.ID), ReqID: s.ReqID, State: s.State.String(), Mode: "TUNNEL", Protocol: "ESP", Encap: s.UDP,
		SPIIn: s.LocalSPI, SPIOut: s.RemoteSPI, Algorithms: algorithms(s.Chosen), ESN: s.Chosen.ESN == wire.ESN_ESN,
		BytesIn: c.InBytes, PacketsIn: c.InPackets, BytesOut: c.OutBytes, PacketsOut: c.OutPackets, LastIn: c.LastIn, LastOut: c.LastOut,
		RekeyAt: s.RekeyAt, ExpiresAt: s.ExpireAt, Installed: s.Created,
		LocalTS: selectors(s.TS.Local), RemoteTS: selectors(s.TS.Remote),
	}
}

func algorithms(c proposal.Chosen) vici.Algorithms {
	a := vici.Algorithms{EncrKeySize: int(c.Encr.KeyLength)}
	if c.Encr.ID != 0 {
		a.Encr = wire.TransformName(wire.TransformENCR, c.Encr.ID)
	}
	if c.Integ != 0 {
		a.Integ = wire.TransformName(wire.TransformINTEG, c.Integ)
	}
	if c.PRF != 0 {
		a.PRF = wire.TransformName(wire.TransformPRF, c.PRF)
	}
	if c.KE != 0 {
		a.KE = wire.TransformName(wire.TransformKE, c.KE)
	}
	for i, id := range c.AddKE {
		if id != wire.KE_NONE {
			a.AdditionalKE[i] = wire.TransformName(wire.TransformKE, id)
		}
	}
	return a
}

// ListConns implements vici.Backend.
func (b *Backend) ListConns(ctx context.Context, name string, yield func(vici.Conn) error) error {
	info, err := b.Daemon.Info(ctx)
	if err != nil {
		return err
	}
	for _, i := range info.Conns {
		c := i.Conf
		if name != "" && name != c.Name {
			continue
		}
		v := vici.Conn{
			Name: c.Name, LocalAddrs: endpoints(c.LocalAddrs), RemoteAddrs: endpoints(c.RemoteAddrs),
			LocalPort: c.LocalPort, RemotePort: c.RemotePort, Version: "IKEv2", ReauthTime: c.ReauthTime, RekeyTime: c.RekeyTime,
			Unique: c.Unique.String(), DPDDelay: c.DPDDelay, PPKID: c.PPKID, PPKRequired: c.PPKRequired,
			LocalAuth:  []vici.Auth{{Class: authClass(c.Local.Method), ID: c.Local.ID.String()}},
			RemoteAuth: []vici.Auth{{Class: authClass(c.Remote.Method), ID: c.Remote.ID.String()}},
		}
		for _, h := range c.Children {
			v.Children = append(v.Children, vici.ConnChild{
				Name: h.Name, Mode: "TUNNEL", RekeyTime: h.RekeyTime, RekeyBytes: h.RekeyBytes, RekeyPackets: h.RekeyPackets,
				DPDAction: action(h.StartAction), CloseAction: action(h.StartAction),
				LocalTS: selectors(h.LocalTS), RemoteTS: selectors(h.RemoteTS),
			})
		}
		if err := yield(v); err != nil {
			return err
		}
	}
	return nil
}

func authClass(m config.AuthMethod) string {
	if m == config.AuthPSK {
		return "pre-shared key"
	}
	return m.String()
}

// action says in swanctl's words what happens to a child whose SA is lost: its desired state is brought about again.
func action(a config.StartAction) string { return a.String() }

// GetConns implements vici.Backend.
func (b *Backend) GetConns(ctx context.Context) ([]string, error) {
	info, err := b.Daemon.Info(ctx)
	var names []string
	for _, c := range info.Conns {
		names = append(names, c.Conf.Name)
	}
	return names, err
}

// Initiate implements vici.Backend.
func (b *Backend) Initiate(ctx context.Context, r vici.InitiateRequest, log vici.LogFunc) error {
	return b.Daemon.Initiate(ctx, Target{Connection: r.IKE, Child: r.Child}, r.NoWait, LogFunc(log))
}

// Terminate implements vici.Backend.
func (b *Backend) Terminate(ctx context.Context, r vici.TerminateRequest, log vici.LogFunc) (vici.TerminateResult, error) {
	t := Target{Connection: r.IKE, Child: r.Child, IKEID: uint64(r.IKEID), ChildID: uint64(r.ChildID)}
	res, err := b.Daemon.Terminate(ctx, t, r.Force, r.NoWait)
	return vici.TerminateResult{Matches: res.Matches, Terminated: res.Gone}, err
}

// Rekey implements vici.Backend.
func (b *Backend) Rekey(ctx context.Context, r vici.RekeyRequest) (int, error) {
	t := Target{Connection: r.IKE, Child: r.Child, IKEID: uint64(r.IKEID), ChildID: uint64(r.ChildID)}
	if r.Reauth {
		return b.Daemon.Reauthenticate(ctx, t)
	}
	return b.Daemon.Rekey(ctx, t)
}

// ReloadSettings implements vici.Backend.
func (b *Backend) ReloadSettings(ctx context.Context) error {
	if b.Reload == nil {
		return diag.NotSupported(diag.Where{}, "reloading the configuration; restart the daemon")
	}
	return b.Reload(ctx)
}

// Status implements vici.Backend.
func (b *Backend) Status(ctx context.Context, name string) (vici.Status, error) {
	info, err := b.Daemon.Info(ctx)
	if err != nil {
		return vici.Status{}, err
	}
	st := vici.Status{Gateway: vici.GatewayStatus{
		Version: b.About.Version, Since: info.Since, Config: info.File, LoadedAt: info.Loaded,
		ReloadError: info.ReloadError,
		DataPath:    b.DataPath(), IKESAs: info.IKESAs, HalfOpen: info.HalfOpen, Drops: b.Drops(),
	}}
	for _, r := range info.Strangers[:min(len(info.Strangers), maxStrangers)] {
		st.Gateway.Strangers = append(st.Gateway.Strangers, *failureStatus(&r))
	}
	if b.EventsDropped != nil {
		st.Gateway.DroppedEvents = b.EventsDropped()
	}
	known := name == ""
	var names []string
	for _, c := range info.Conns {
		names = append(names, c.Conf.Name)
		if name != "" && name != c.Conf.Name {
			continue
		}
		known = true
		cs := connStatus(c)
		for _, h := range cs.Children {
			st.Gateway.ChildSAs += h.SAs
		}
		st.Connections = append(st.Connections, cs)
	}
	if !known {
		return st, diag.UnknownName(diag.Where{ConfigLine: info.File}, "connection", name, names)
	}
	return st, nil
}

// maxStrangers is how many failures of unknown peers the status shows.
const maxStrangers = 5

func connStatus(c ConnInfo) vici.ConnStatus {
	cs := vici.ConnStatus{
		Name: c.Conf.Name, Local: joined(endpoints(c.Conf.LocalAddrs)), Remote: joined(endpoints(c.Conf.RemoteAddrs)),
		LocalID: c.Conf.Local.ID.String(), RemoteID: c.Conf.Remote.ID.String(),
	}
	for _, s := range c.SAs {
		if s.State == sa.StateEstablished || s.State == sa.StateRekeying {
			cs.Local, cs.Remote = s.Path.Local.String(), s.Path.Remote.String()
			cs.LocalID, cs.RemoteID = s.LocalID.String(), s.RemoteID.String()
			cs.State.NextRekey, cs.Proposal, cs.PPK = s.RekeyAt, s.Chosen.String(), s.PPK
			cs.MOBIKE, cs.LocalAddrs, cs.RemoteAddrs = s.MOBIKE, addrTexts(s.LocalAddrs), addrTexts(s.PeerAddrs)
			cs.Resumed = s.Resumed
		}
	}
	cs.State.LastFailure = failureStatus(c.Last)
	// A connection is as good as the worst of what is desired of its children.
	for i, h := range c.Children {
		hs := vici.ChildStatus{
			Name: h.Conf.Name, LocalTS: selectors(h.Conf.LocalTS), RemoteTS: selectors(h.Conf.RemoteTS), SAs: len(h.SAs),
			BytesIn: h.Counters.InBytes, PacketsIn: h.Counters.InPackets, BytesOut: h.Counters.OutBytes, PacketsOut: h.Counters.OutPackets,
			State: vici.State{
				Desired: h.Desired, Current: h.Phase, Since: h.Since, WaitsFor: h.WaitsFor, NextTry: h.NextTry,
				LastFailure: failureStatus(h.Last),
			},
		}
		for _, s := range h.SAs {
			hs.State.NextRekey, hs.Proposal = s.RekeyAt, s.Chosen.String()
			hs.LocalTS, hs.RemoteTS = selectors(s.TS.Local), selectors(s.TS.Remote)
		}
		if i == 0 || rank(h) < rank(c.Children[worst(c.Children[:i])]) {
			cs.State.Desired, cs.State.Current, cs.State.Since = h.Desired, h.Phase, h.Since
			cs.State.WaitsFor, cs.State.NextTry = h.WaitsFor, h.NextTry
		}
		cs.Children = append(cs.Children, hs)
	}
	return cs
}

// rank orders children by how far they are from what is desired of them.
func rank(h ChildInfo) int {
	switch {
	case h.Desired == "up" && !h.Up():
		return 0
	case h.Phase == string(phaseConnecting) || h.Phase == string(phaseWaiting):
		return 1
	case h.Up():
		return 2
	}
	return 3
}

func worst(list []ChildInfo) int {
	w := 0
	for i, h := range list {
		if rank(h) < rank(list[w]) {
			w = i
		}
	}
	return w
}

func failureStatus(r *diag.Repeat) *vici.FailureStatus {
	if r == nil {
		return nil
	}
	return &vici.FailureStatus{
		Code: string(r.Failure.Code), Text: r.Failure.Summary(), Fix: r.Failure.Advice(), Count: r.Count, First: r.First, Last: r.Last,
	}
}

// GetCounters implements vici.Backend: the global counters in strongSwan's names.
func (b *Backend) GetCounters(ctx context.Context, name string, all bool) ([]vici.Counters, error) {
	s := b.Daemon.Stats()
	v := map[string]uint64{"child-rekey": s.ChildRekeys, "ike-rekey-init": s.IKERekeys, "invalid": s.Ignored[sa.IgnoreMalformed], "invalid-spi": s.Ignored[sa.IgnoreSPI]}
	for k, n := range s.Exchanges {
		base := map[string]string{
			wire.ExchangeIKESAInit.String(): "ike-init", wire.ExchangeIKEAuth.String(): "ike-auth",
			wire.ExchangeCreateChildSA.String(): "create-child", wire.ExchangeInformational.String(): "info",
		}[k.Exchange]
		if base == "" {
			continue
		}
		if k.Initiated {
			v[base+"-out-req"] += n
			v[base+"-in-resp"] += n
		} else {
			v[base+"-in-req"] += n
			v[base+"-out-resp"] += n
		}
	}
	return []vici.Counters{{Values: v}}, nil
}

// ResetCounters implements vici.Backend. Counters of this daemon only grow, as monitoring needs them to.
func (b *Backend) ResetCounters(ctx context.Context, name string, all bool) error {
	return diag.NotSupported(diag.Where{}, "resetting counters; they only grow, take differences instead")
}

// Events passes what the daemon reports on to the clients of a VICI server.
type Events struct {
	noObserver
	Server *vici.Server
	// Counters are those of a CHILD SA.
	Counters func(child uint64) (Counters, bool)
}

func (e Events) child(c sa.ChildSnapshot) vici.ChildSA {
	counters, _ := e.Counters(c.ID)
	return ChildSA(c, counters)
}

// IKEUpdown implements Observer. Like the others, it puts nothing together while nobody listens: these are of every handshake.
func (e Events) IKEUpdown(up bool, s sa.Snapshot) {
	if e.Server.Listening(vici.EventIKEUpdown) {
		e.Server.IKEUpdown(up, IKESA(s))
	}
}

// ChildUpdown implements Observer.
func (e Events) ChildUpdown(up bool, s sa.Snapshot, c sa.ChildSnapshot) {
	if e.Server.Listening(vici.EventChildUpdown) {
		e.Server.ChildUpdown(up, IKESA(s), e.child(c))
	}
}

// IKERekeyed implements Observer.
func (e Events) IKERekeyed(old, fresh sa.Snapshot) {
	if e.Server.Listening(vici.EventIKERekey) {
		e.Server.IKERekey(IKESA(old), IKESA(fresh))
	}
}

// ChildRekeyed implements Observer.
func (e Events) ChildRekeyed(s sa.Snapshot, old, fresh sa.ChildSnapshot) {
	if e.Server.Listening(vici.EventChildRekey) {
		e.Server.ChildRekey(IKESA(s), e.child(old), e.child(fresh))
	}
}

// Failed implements Observer.
func (e Events) Failed(f *diag.Failure, _ bool) {
	if f.Connection == "" {
		e.Server.Alert(f.Alert(), nil)
		return
	}
	e.Server.Alert(f.Alert(), &vici.IKESA{Name: f.Connection, Version: 2, Local: f.Local, Remote: f.Remote, RemoteID: f.PeerID})
}
