// Package status describes the state of replicas, and sums it up for an operator.
//
// A replica describes itself, from its model and its pools. A Summary compares replicas and names what needs attention. It
// queries no replica: the caller collects their descriptions.
package status
