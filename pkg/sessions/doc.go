// Package sessions reports how many live sessions each pod has, in this replica or merged over all replicas.
package sessions
