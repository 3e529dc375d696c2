/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_MODEL_H
#define DEMO_MODEL_H

#include <stdint.h>

#include "team.h"

/*
 * A multi-layer perceptron: 784 inputs (28 x 28 grey values), two hidden layers with ReLU, ten classes with softmax.
 * Nobody trained it: the weights come from a seed. So the answers mean nothing, but they cost what real ones cost, and
 * the same seed gives the same ones.
 */
enum { MODEL_INPUTS = 784, MODEL_CLASSES = 10 };

struct model;

/* NULL if there is not enough memory. */
struct model *model_new(uint64_t seed, unsigned int hidden);
void model_free(struct model *model);

/* How many floats of scratch space a forward pass needs. */
unsigned int model_scratch_floats(const struct model *model);

/*
 * One forward pass over an image; writes the probabilities, which add up to 1, and returns the likeliest class. The
 * model is only read, so that threads can share it, each with its own scratch. A team shares each layer; NULL: the caller
 * does it alone.
 */
unsigned int model_forward(const struct model *model, const uint8_t image[MODEL_INPUTS], float *scratch,
			   float probabilities[MODEL_CLASSES], struct team *team);

/* The image that stands for a seed: the same one each time. */
void model_image(uint64_t seed, uint8_t ret[MODEL_INPUTS]);

#endif
