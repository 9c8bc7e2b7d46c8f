package control

import (
	"slices"
	"testing"

	"esplanade/ike/sa"
)

// Tasks have strongSwan's names, which scripts look for. What is in flight is active, also on an established IKE SA.
func TestTasksHaveStrongSwansNames(t *testing.T) {
	names := map[sa.TaskKind]string{
		sa.TaskInit: "IKE_INIT", sa.TaskResume: "IKE_RESUME", sa.TaskIntermediate: "IKE_INFORMATIONAL", sa.TaskAuth: "IKE_AUTH",
		sa.TaskReject: "IKE_INFORMATIONAL", sa.TaskCreateChild: "CHILD_CREATE", sa.TaskRekeyChild: "CHILD_REKEY",
		sa.TaskDeleteChild: "CHILD_DELETE", sa.TaskRejectChild: "IKE_INFORMATIONAL", sa.TaskRekeyIKE: "IKE_REKEY",
		sa.TaskDeleteIKE: "IKE_DELETE", sa.TaskLiveness: "IKE_DPD", sa.TaskUpdate: "IKE_MOBIKE", sa.TaskAnnounce: "IKE_MOBIKE",
		sa.TaskRoute: "IKE_MOBIKE", sa.TaskRedirect: "IKE_INFORMATIONAL", sa.TaskTicket: "IKE_INFORMATIONAL", sa.TaskToken: "IKE_INFORMATIONAL",
		sa.TaskInvalidSPI: "IKE_INFORMATIONAL",
	}
	for k, want := range names {
		v := IKESA(sa.Snapshot{State: sa.StateEstablished, Tasks: []sa.Task{{Kind: k, InFlight: true}, {Kind: sa.TaskDeleteIKE}}})
		if !slices.Equal(v.TasksActive, []string{want}) || !slices.Equal(v.TasksQueued, []string{"IKE_DELETE"}) {
			t.Errorf("kind %d: active %q, queued %q; want %s", k, v.TasksActive, v.TasksQueued, want)
		}
	}
	if v := IKESA(sa.Snapshot{State: sa.StateConnecting, Tasks: []sa.Task{{Kind: sa.TaskInit}}}); v.TasksActive != nil {
		t.Errorf("%q is active, and is not in flight", v.TasksActive)
	}
}

// States have strongSwan's names, which has none for what has ended.
func TestStatesHaveStrongSwansNames(t *testing.T) {
	for state, want := range map[sa.State]string{sa.StateConnecting: "CONNECTING", sa.StateEstablished: "ESTABLISHED", sa.StateRekeying: "REKEYING",
		sa.StateRekeyed: "REKEYED", sa.StateDeleting: "DELETING", sa.StateClosed: "DELETING"} {
		if v := IKESA(sa.Snapshot{State: state}); v.State != want {
			t.Errorf("%s, want %s", v.State, want)
		}
	}
}
