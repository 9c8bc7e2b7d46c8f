package wire

import "testing"

func TestFind(t *testing.T) {
	first, second := &Notify{NotifyType: NotifyCookie}, &Notify{NotifyType: NotifyCookie, Data: []byte{1}}
	failure := &Notify{NotifyType: NotifyTSUnacceptable}
	idr := &ID{Responder: true}
	ps := []Payload{idr, first, second, failure, &Notify{NotifyType: NotifyInvalidSyntax}}
	if got := Find(ps, PayloadIDr); got != idr {
		t.Errorf("Find IDr: %v", got)
	}
	if got := Find(ps, PayloadIDi); got != nil {
		t.Errorf("Find IDi: %v", got)
	}
	if got := Find(ps, PayloadNotify); got != first {
		t.Errorf("Find N: %v", got)
	}
	if got := FindNotify(ps, NotifyCookie); got != first {
		t.Errorf("FindNotify: %v", got)
	}
	if got := FindNotify(ps, NotifyRekeySA); got != nil {
		t.Errorf("FindNotify of what isn't there: %v", got)
	}
	if got := FindErrorNotify(ps); got != failure {
		t.Errorf("FindErrorNotify: %v", got)
	}
	if got := FindErrorNotify(ps[:3]); got != nil {
		t.Errorf("FindErrorNotify of none: %v", got)
	}
}
