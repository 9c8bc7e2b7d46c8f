package sa

import (
	"errors"
	"slices"
	"strings"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/eap"
	"esplanade/ike/wire"
)

// maxUserName is how much of the name that a stranger gives is kept in a failure.
const maxUserName = 128

// eapFailure is what EAP has failed with, as the operator sees it; nil for another error.
func (m *Machine) eapFailure(w diag.Where, err error) *diag.Failure {
	if id := m.flow.peer; id.Type != 0 {
		w = w.Showing(id.String())
	}
	var e *auth.EAPError
	switch {
	case errors.Is(err, auth.ErrNoEAP):
		return diag.EAPNothing(w, m.initiator)
	case !errors.As(err, &e):
		return nil
	}
	if NotNow(e.Err) {
		return keFailure(w, e.Err)
	}
	if e.Out != nil {
		w.Answer = "EAP-Failure"
	}
	who := diag.EAP{User: userName(e.User), Client: m.initiator, Said: e.Detail}
	w = m.whereUser(w, who)
	var user *userError
	if errors.As(err, &user) {
		who.User, who.Method, who.Server = userName(user.user.Name), user.user.Method, user.user.Server
		return diag.EAPNotAllowed(m.whereUser(w, who).At(m.userLine(user.round)), who, user.user.Groups, user.tried)
	}
	if f := m.serverFailure(w, who, e); f != nil {
		return f
	}
	if e.Failure != nil {
		return m.eapMethodFailure(w, who, e.Failure)
	}
	switch e.Reason {
	case auth.EAPUnsafe:
		who.Method = e.Detail
		return diag.EAPNotMutual(w, who)
	case auth.EAPNotOffered:
		return diag.EAPOnlyNotOffered(w)
	case auth.EAPOtherKey:
		return diag.EAPOtherKey(w, who)
	case auth.EAPFailed:
		if e.Err != nil {
			return diag.EAPServerNone(w, who, e.Err)
		}
		who.Said = "no result"
		return diag.EAPBroken(w, who, "")
	case auth.EAPTooMuch:
		return diag.LimitReached(w, "messages of EAP of 128 KiB at most", "more of them")
	default:
		return diag.EAPBroken(w, who, "")
	}
}

// eapMethodFailure is the failure of a method of EAP.
func (m *Machine) eapMethodFailure(w diag.Where, who diag.EAP, f *eap.Failure) *diag.Failure {
	inner := f
	for inner.Inner != nil {
		inner = inner.Inner
	}
	if who.User = userName(inner.User); who.User == "" {
		who.User = userName(f.User)
	}
	w = m.whereUser(w, who)
	if f.Method != 0 {
		who.Method = f.Method.String()
	}
	if inner != f && inner.Method != 0 {
		who.Method += " (" + strings.TrimPrefix(inner.Method.String(), "eap-") + ")"
	}
	plain := *inner
	plain.Method, plain.User = 0, ""
	who.Said = strings.TrimPrefix(plain.Error(), "EAP: ")
	line := m.userLine(m.flow.round)
	switch inner.Reason {
	case eap.ReasonUnknownUser:
		return diag.EAPUnknownUser(w.At(line), who)
	case eap.ReasonPassword, eap.ReasonPasswordExpired, eap.ReasonLocked:
		who.Expired = inner.Reason == eap.ReasonPasswordExpired
		switch {
		case m.initiator:
			return diag.EAPRefused(w, who)
		case who.Expired || inner.Reason == eap.ReasonLocked:
			return diag.EAPAccount(w.At(line), who)
		}
		return diag.EAPPassword(w.At(line), who)
	case eap.ReasonPaused:
		return diag.EAPPaused(w, who, pauseOf(inner.Pause))
	case eap.ReasonNak:
		if m.initiator {
			return diag.EAPMethod(w, who, methodNames(inner.Wanted), methodNames(inner.Offered))
		}
		return diag.EAPMethod(w, who, methodNames(inner.Offered), methodNames(inner.Wanted)+" for "+diagUser(who))
	case eap.ReasonSecret:
		return diag.EAPMethod(w, who, "no secret of the user that "+who.Method+" can be proved with", who.Method+" for "+diagUser(who))
	case eap.ReasonUnsafe:
		return diag.EAPNotMutual(w, who)
	case eap.ReasonCertificate:
		// What is wrong with a certificate reads as it does for one of IKE.
		if c := m.signatureFailure(w, inner.Err); c != nil {
			return c
		}
		return diag.EAPTLS(w, who, inner.Err)
	case eap.ReasonTLS, eap.ReasonBinding:
		return diag.EAPTLS(w, who, inner.Err)
	case eap.ReasonRefused:
		if m.initiator {
			return diag.EAPRefused(w, who)
		}
	default: // A reason that has no text of its own.
	}
	who.Said = inner.Came()
	return diag.EAPBroken(w, who, "")
}

// pauseOf is a pause for people.
func pauseOf(p *eap.Pause) diag.Pause {
	if p == nil {
		return diag.Pause{What: "wrong passwords"}
	}
	return diag.Pause{What: p.String(), Everywhere: p.Of == eap.PauseOfName, Everybody: p.Of == eap.PauseOfSource}
}

// userName is the name of a user as far as it is kept: whoever is not known may give one of any length.
func userName(s string) string { return s[:min(len(s), maxUserName)] }

func diagUser(e diag.EAP) string {
	if e.User == "" {
		return "a user without a name"
	}
	return "user '" + e.User + "'"
}

// userLine is where a round of the peer says which users it is for.
func (m *Machine) userLine(round int) string {
	r := m.cfg.userRule(round)
	for _, line := range []string{r.GroupsLine, r.IDLine} {
		if line != "" {
			return line
		}
	}
	return m.cfg.peerRoundLine(round)
}

// methodNames are methods of EAP, for people.
func methodNames(list []eap.Type) string {
	var names []string
	for _, t := range list {
		if n := t.String(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "no method"
	}
	return listed(names)
}

// listed are names in a row, the first few.
func listed(names []string) string {
	const most = 8
	if len(names) > most {
		names = append(slices.Clone(names[:most]), "others")
	}
	return strings.Join(names, ", ")
}

// userRefused is the failure that the gateway has answered a later message of this side's user with a notification.
func (m *Machine) userRefused(w diag.Where, n *wire.Notify) *diag.Failure {
	who := diag.EAP{Client: true, Said: n.NotifyType.String()}
	if u := m.flow.t.User; u != nil {
		who.User = u.Name
	} else if m.env.EAPClient != nil {
		if c, ok := m.env.EAPClient(m.cfg.Name, 0); ok {
			who.User = c.Identity
		}
	}
	f := diag.EAPRefused(w, who)
	f.Notify = n.NotifyType.String()
	return f
}
