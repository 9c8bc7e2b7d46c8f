package store

import (
	"encoding/binary"
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// The library trusts what is in the file: pages that name each other in a circle would have it read without end. So the tree of pages is walked
// once before it does. A page has a header, its number (8 octets), flags (2), how many elements it has (2) and how many pages follow that belong
// to it (4); then elements of 16 octets, in the order of the machine.
const (
	pageHeader  = 16
	pageElement = 16
	branchPage  = 1
	leafPage    = 2
	subBucket   = 1
)

// checkPages walks the pages from the root on.
func checkPages(f io.ReaderAt, tx *bbolt.Tx, size int64) error {
	var (
		order = binary.NativeEndian
		ps    = int64(tx.DB().Info().PageSize)
		all   = uint64(tx.Size() / ps)
		seen  = map[uint64]bool{}
		next  = []uint64{uint64(tx.Cursor().Bucket().Root())}
	)
	for len(next) > 0 {
		id := next[len(next)-1]
		next = next[:len(next)-1]
		if seen[id] || id < 2 || id >= all {
			return fmt.Errorf("page %d is where it can't be", id)
		}
		seen[id] = true
		head := make([]byte, pageHeader)
		if _, err := f.ReadAt(head, int64(id)*ps); err != nil {
			return err
		}
		flags, count, more := order.Uint16(head[8:]), int64(order.Uint16(head[10:])), int64(order.Uint32(head[12:]))
		length := (1 + more) * ps
		if order.Uint64(head) != id || int64(id)*ps+length > size || pageHeader+count*pageElement > length || flags != branchPage && flags != leafPage {
			return fmt.Errorf("page %d is none of the library's", id)
		}
		page := make([]byte, length)
		if _, err := f.ReadAt(page, int64(id)*ps); err != nil {
			return err
		}
		for i := range count {
			at := pageHeader + i*pageElement
			e := page[at : at+pageElement]
			if flags == branchPage {
				if int64(order.Uint32(e))+int64(order.Uint32(e[4:]))+at > length {
					return fmt.Errorf("page %d has a key outside of it", id)
				}
				next = append(next, order.Uint64(e[8:]))
				continue
			}
			value := at + int64(order.Uint32(e[4:])) + int64(order.Uint32(e[8:]))
			if value+int64(order.Uint32(e[12:])) > length {
				return fmt.Errorf("page %d has a value outside of it", id)
			}
			if order.Uint32(e)&subBucket != 0 && value+8 <= length {
				if root := order.Uint64(page[value:]); root != 0 {
					next = append(next, root)
				}
			}
		}
	}
	return nil
}
