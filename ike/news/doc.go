// Package news keeps what a data plane says about CHILD SAs and policies until
// the event loop has seen it.
//
// Most of what comes to the event loop may be lost: IKE messages are sent again,
// and a bounded inbox that drops is how an overloaded gateway stays alive. But a
// packet loop says only once that an SA comes to the end of its sequence numbers,
// and that the first packet has come in on a new one. Such news must not be
// lost, and cannot be: a [Box] has at most one [Item] for each CHILD SA and each
// policy. News of the same kind replace each other in it, so its size is bounded
// by how many of them there are, and putting something in never fails or waits.
//
// What only a CHILD SA or a configured policy can cause belongs here. What a
// stranger can cause does not: it has no such bound.
package news
