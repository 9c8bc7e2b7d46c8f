package sa

import (
	"errors"

	"esplanade/ike/diag"
	"esplanade/ike/pool"
)

// leaseFailure is why a peer got no address, for an operator.
func leaseFailure(w diag.Where, err error) *diag.Failure {
	var empty *pool.EmptyError
	var taken *pool.TakenError
	var unknown *pool.UnknownError
	var store *pool.StoreError
	var groups *pool.GroupsError
	switch {
	case errors.As(err, &empty):
		var list []diag.PoolState
		for _, p := range empty.Pools {
			list = append(list, diag.PoolState{Name: p.Name, Size: p.Size, Online: p.Online})
		}
		return diag.PoolEmpty(w.Showing(empty.Owner), list, empty.Six)
	case errors.As(err, &taken):
		return diag.AddressTaken(w.Showing(taken.Owner), taken.Addr, taken.By)
	case errors.As(err, &unknown):
		return diag.PoolUnknown(w.Showing(unknown.Owner), unknown.Pool, unknown.Known)
	case errors.As(err, &groups):
		return diag.GroupsOnly(w.Showing(groups.Owner), diag.EAP{User: groups.Owner}, groups.Has, "the pool "+groups.Pool, groups.Groups)
	case errors.As(err, &store):
		return diag.LeaseNotKept(w.Showing(store.Owner), store.Err)
	}
	return keFailure(w, err)
}
