// SPDX-License-Identifier: MIT
/// The README's program in libtorch, for what it costs to compile: a teacher, a student alone and a student distilled,
/// on MNIST. Their learning rates stay as they are, and the 3,000 images are drawn in another order.

#include <torch/torch.h>

#include <cstdio>

namespace nn = torch::nn;

static nn::Sequential make_teacher() {
  return nn::Sequential(nn::Linear(784, 1200), nn::Dropout(0.5), nn::ReLU(), nn::Linear(1200, 1200), nn::Dropout(0.5),
                        nn::ReLU(), nn::Linear(1200, 10));
}
static nn::Sequential make_student() {
  return nn::Sequential(nn::Linear(784, 20), nn::ReLU(), nn::Linear(20, 20), nn::ReLU(), nn::Linear(20, 10));
}

/// Trains on images (size, 784) and their labels, and from a teacher if it has layers.
static void fit(nn::Sequential network, nn::Sequential teacher, const torch::Tensor& images,
                const torch::Tensor& labels, int epochs, double rate) {
  torch::optim::Adam adam(network->parameters(), torch::optim::AdamOptions(rate));
  network->train();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (const torch::Tensor& batch : torch::randperm(images.size(0)).split(64)) {
      const torch::Tensor inputs = images.index_select(0, batch);
      const torch::Tensor logits = network->forward(inputs);
      torch::Tensor loss = nn::functional::cross_entropy(logits, labels.index_select(0, batch));
      if (!teacher->is_empty()) {
        const torch::NoGradGuard no_gradients;
        const torch::Tensor answers = teacher->forward(inputs);
        const torch::AutoGradMode gradients(true);
        loss =
            0.3 * loss + 0.7 * 16 *
                             nn::functional::kl_div(torch::log_softmax(logits / 4, 1), torch::softmax(answers / 4, 1),
                                                    nn::functional::KLDivFuncOptions().reduction(torch::kBatchMean));
      }
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
  }
  network->eval();
}

static std::int64_t errors(nn::Sequential network, const torch::Tensor& images, const torch::Tensor& labels) {
  const torch::NoGradGuard no_gradients;
  return network->forward(images).argmax(1).ne(labels).sum().item<std::int64_t>();
}

int main() {
  const auto pixels = [](const torch::data::datasets::MNIST& data) { return data.images().view({-1, 784}) * 2 - 1; };
  const torch::data::datasets::MNIST train("data/mnist");
  const torch::data::datasets::MNIST test("data/mnist", torch::data::datasets::MNIST::Mode::kTest);
  torch::manual_seed(0);
  const torch::Tensor images = pixels(train);
  const torch::Tensor few = torch::randperm(images.size(0)).slice(0, 0, 3000);

  nn::Sequential teacher = make_teacher();
  fit(teacher, nn::Sequential(), images, train.targets(), 4, 1e-3);
  nn::Sequential alone = make_student();
  fit(alone, nn::Sequential(), images.index_select(0, few), train.targets().index_select(0, few), 60, 5e-3);
  nn::Sequential distilled = make_student();
  fit(distilled, teacher, images.index_select(0, few), train.targets().index_select(0, few), 60, 5e-3);

  std::printf("errors on 10000 test images: student alone %lld, distilled %lld\n",
              static_cast<long long>(errors(alone, pixels(test), test.targets())),
              static_cast<long long>(errors(distilled, pixels(test), test.targets())));
  torch::save(distilled, "student.pt");
}
