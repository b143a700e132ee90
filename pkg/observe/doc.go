// Package observe contains all metrics of Limpet and its access log.
//
// It defines names, labels and formats. Callers decide what happened and when it counts.
package observe
