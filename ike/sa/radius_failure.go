package sa

import (
	"errors"

	"esplanade/ike/aaa"
	"esplanade/ike/auth"
	"esplanade/ike/diag"
)

// serverFailure is what RADIUS servers have not let a user in for; nil for another failure.
func (m *Machine) serverFailure(w diag.Where, who diag.EAP, e *auth.EAPError) *diag.Failure {
	var s *aaa.ServerError
	if !errors.As(e, &s) {
		return nil
	}
	if e.Failure != nil && e.Failure.Method != 0 {
		who.Method = e.Failure.Method.String()
	}
	r := diag.RADIUS{Servers: s.Servers, Said: s.Detail, Message: s.Message}
	switch s.Fault {
	case aaa.Silent:
		return diag.RADIUSSilent(w, who, r)
	case aaa.Lying:
		return diag.RADIUSLying(w, who, r)
	case aaa.Rejected:
		return diag.RADIUSReject(w.At(m.userLine(m.flow.round)), who, r)
	case aaa.Unusable:
		return diag.RADIUSAnswer(w, who, r)
	case aaa.Unasked:
		return diag.EAPServerNone(w, who, s)
	}
	panic("BUG: a fault of servers that nobody knows")
}
