// Package rules tests the alerts and dashboards of the chart with the packages of Prometheus. It is a module of its own, because
// these have some 500 packages of dependencies, which nothing else needs.
package rules
