// Package house checks the plan of the house: which room may import which (docs/architecture.md), and that every room says
// at its door what it decides.
//
// It has tests only. What a room does is tested in the room.
package house
