/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <math.h>
#include <stdlib.h>

enum { LAYERS = 3 };

/* Row o of weights, inputs wide, makes output o. */
struct layer {
	unsigned int inputs, outputs;
	float *weights;
};

struct model {
	unsigned int hidden;
	struct layer layers[LAYERS];
};

/* splitmix64 (Steele, Lea and Flood 2014): any seed will do, 0 included. */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Uniform within the bound of He et al. 2015: signals neither die nor explode on their way through ReLU layers. */
static int layer_init(struct layer *layer, unsigned int inputs, unsigned int outputs, uint64_t *state)
{
	const float bound = sqrtf(6.0F / (float)inputs);
	const size_t count = (size_t)inputs * outputs;

	*layer = (struct layer){ inputs, outputs, malloc(count * sizeof(float)) };
	if (!layer->weights)
		return -1;
	for (size_t i = 0; i < count; i++)
		layer->weights[i] = bound * ((float)(random_next(state) >> 40) / (float)(1U << 23) - 1.0F);
	return 0;
}

struct model *model_new(uint64_t seed, unsigned int hidden)
{
	const unsigned int widths[LAYERS + 1] = { MODEL_INPUTS, hidden, hidden, MODEL_CLASSES };
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->hidden = hidden;
	for (int i = 0; i < LAYERS; i++) {
		if (layer_init(&model->layers[i], widths[i], widths[i + 1], &seed) < 0) {
			model_free(model);
			return NULL;
		}
	}
	return model;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	for (int i = 0; i < LAYERS; i++)
		free(model->layers[i].weights);
	free(model);
}

/* The image as floats, and the outputs of the two hidden layers. */
unsigned int model_scratch_floats(const struct model *model)
{
	return MODEL_INPUTS + 2 * model->hidden;
}

/* Outputs first to end. */
static void layer_apply(const struct layer *layer, const float *restrict in, float *restrict out, unsigned int first,
			unsigned int end)
{
	for (unsigned int o = first; o < end; o++) {
		const float *row = layer->weights + (size_t)o * layer->inputs;
		float sum = 0;

		for (unsigned int i = 0; i < layer->inputs; i++)
			sum += row[i] * in[i];
		out[o] = sum;
	}
}

static void relu(float *values, unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++)
		values[i] = values[i] > 0 ? values[i] : 0;
}

/* The largest value is taken off first, so that no exponential overflows. Returns the index of the largest. */
static unsigned int softmax(float values[MODEL_CLASSES])
{
	unsigned int best = 0;
	float sum = 0;

	for (unsigned int i = 1; i < MODEL_CLASSES; i++)
		if (values[i] > values[best])
			best = i;
	const float largest = values[best];

	for (unsigned int i = 0; i < MODEL_CLASSES; i++)
		sum += values[i] = expf(values[i] - largest);
	for (unsigned int i = 0; i < MODEL_CLASSES; i++)
		values[i] /= sum;
	return best;
}

/* One forward pass: what each layer reads and what it writes. */
struct pass {
	const struct model *model;
	float *values[LAYERS + 1];
};

static void pass_part(struct team *team, void *argument, unsigned int index, unsigned int count)
{
	const struct pass *pass = argument;

	for (int i = 0; i < LAYERS; i++) {
		const struct layer *layer = &pass->model->layers[i];
		const unsigned int first = layer->outputs * index / count, end = layer->outputs * (index + 1) / count;

		layer_apply(layer, pass->values[i], pass->values[i + 1], first, end);
		if (i + 1 < LAYERS)
			relu(pass->values[i + 1], first, end);
		team_barrier(team);
	}
}

unsigned int model_forward(const struct model *model, const uint8_t image[MODEL_INPUTS], float *scratch,
			   float probabilities[MODEL_CLASSES], struct team *team)
{
	float *input = scratch, *first = input + MODEL_INPUTS, *second = first + model->hidden;
	struct pass pass = { model, { input, first, second, probabilities } };

	for (unsigned int i = 0; i < MODEL_INPUTS; i++)
		input[i] = (float)image[i] / 255.0F;
	if (team)
		team_run(team, pass_part, &pass);
	else
		pass_part(NULL, &pass, 0, 1);
	return softmax(probabilities);
}

void model_image(uint64_t seed, uint8_t ret[MODEL_INPUTS])
{
	for (unsigned int i = 0; i < MODEL_INPUTS; i++)
		ret[i] = (uint8_t)(random_next(&seed) >> 56);
}
