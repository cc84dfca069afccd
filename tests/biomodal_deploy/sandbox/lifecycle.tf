# Everything that our stacks are made of and everything that can change in it, in two steps.
# Two kinds are left to the tests of the stacks, for the AWS provider waits a minute on each:
# a job queue's deletion, a bucket's lifecycle configuration.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "region" {}
variable "vpc_id" {}
variable "subnet_id" {}
variable "vm_name" {}
variable "ssh_public_key" {}

variable "step" {
  type    = number
  default = 1
}

locals {
  two  = var.step == 2
  tags = { Step = var.step }
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = local.two ? ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"] : ["ec2.amazonaws.com"] }
    }]
  })
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "me" {}

data "aws_partition" "current" {}

data "aws_subnet" "given" {
  id = var.subnet_id
}

data "aws_vpc" "given" {
  id = var.vpc_id
}

data "aws_ami" "ubuntu" {
  most_recent = true
  owners      = ["099720109477"]
  filter {
    name   = "name"
    values = ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"]
  }
  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}

resource "aws_security_group" "ssh" {
  name        = "${var.vm_name}-sg"
  description = "SSH"
  vpc_id      = var.vpc_id
  tags        = local.tags
}

resource "aws_security_group" "batch" {
  name_prefix = "${var.vm_name}-batch-"
  description = "Batch"
  vpc_id      = var.vpc_id
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.ssh.id
  description       = "SSH, step ${var.step}"
  cidr_ipv4         = local.two ? "192.0.2.0/24" : "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  tags              = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "batch" {
  security_group_id = aws_security_group.batch.id
  cidr_ipv4         = data.aws_subnet.given.cidr_block
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "ssh" {
  security_group_id = aws_security_group.ssh.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_key_pair" "vm" {
  key_name   = var.vm_name
  public_key = var.ssh_public_key
  tags       = local.tags
}

resource "aws_iam_role" "vm" {
  name                 = var.vm_name
  description          = "Step ${var.step}"
  max_session_duration = local.two ? 7200 : 3600
  assume_role_policy   = local.trust
  tags                 = local.tags
}

resource "aws_iam_role" "hosts" {
  name               = "${var.vm_name}-hosts"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "vm" {
  name = var.vm_name
  role = aws_iam_role.vm.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Step${var.step}", Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy_attachment" "hosts" {
  role       = aws_iam_role.hosts.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_policy" "own" {
  name = "${var.vm_name}-own"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Step${var.step}", Effect = "Allow", Action = ["s3:ListBucket"], Resource = "*" }]
  })
  tags = local.tags
}

resource "aws_iam_instance_profile" "vm" {
  name = var.vm_name
  role = aws_iam_role.vm.name
  tags = local.tags
}

resource "aws_iam_instance_profile" "hosts" {
  name = "${var.vm_name}-hosts"
  role = aws_iam_role.hosts.name
}

resource "aws_iam_service_linked_role" "spot" {
  aws_service_name = "spot.amazonaws.com"
}

resource "aws_instance" "vm" {
  ami                                  = data.aws_ami.ubuntu.id
  instance_type                        = local.two ? "t3.xlarge" : "t3.large"
  subnet_id                            = var.subnet_id
  vpc_security_group_ids               = local.two ? [aws_security_group.ssh.id, aws_security_group.batch.id] : [aws_security_group.ssh.id]
  key_name                             = aws_key_pair.vm.key_name
  iam_instance_profile                 = local.two ? aws_iam_instance_profile.hosts.name : aws_iam_instance_profile.vm.name
  monitoring                           = !local.two
  source_dest_check                    = !local.two
  disable_api_stop                     = false
  instance_initiated_shutdown_behavior = local.two ? "terminate" : "stop"
  user_data_base64                     = base64encode("#!/bin/sh\necho ${var.step}\n")
  tags                                 = merge(local.tags, { Name = var.vm_name })
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = local.two ? "required" : "optional"
    http_put_response_hop_limit = var.step
  }
  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = local.two ? 120 : 100
    iops        = local.two ? 4000 : 3000
    throughput  = local.two ? 250 : 125
    tags        = local.tags
  }
}

resource "aws_eip" "vm" {
  domain = "vpc"
  tags   = local.tags
}

resource "aws_eip_association" "vm" {
  instance_id   = aws_instance.vm.id
  allocation_id = aws_eip.vm.id
}

resource "aws_s3_bucket" "data" {
  bucket = "${var.vm_name}-data"
  tags   = local.tags
}

resource "aws_s3_bucket_public_access_block" "data" {
  bucket                  = aws_s3_bucket.data.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    bucket_key_enabled = local.two
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration {
    status = local.two ? "Suspended" : "Enabled"
  }
}

resource "aws_s3_bucket_ownership_controls" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    object_ownership = local.two ? "BucketOwnerPreferred" : "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly${var.step}"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.data.arn, "${aws_s3_bucket.data.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
  depends_on = [aws_s3_bucket_public_access_block.data]
}

resource "aws_s3_object" "readme" {
  bucket     = aws_s3_bucket.data.id
  key        = "README"
  content    = "Step ${var.step}"
  depends_on = [aws_s3_bucket_policy.data]
}

resource "aws_ecr_repository" "images" {
  name                 = var.vm_name
  image_tag_mutability = local.two ? "IMMUTABLE" : "MUTABLE"
  tags                 = local.tags
  image_scanning_configuration {
    scan_on_push = !local.two
  }
}

resource "aws_ecr_lifecycle_policy" "images" {
  repository = aws_ecr_repository.images.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Step ${var.step}"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_launch_template" "hosts" {
  name                   = "${var.vm_name}-batch-launch-template"
  update_default_version = true
  user_data              = base64encode("MIME-Version: 1.0\nStep: ${var.step}\n")
  tags                   = local.tags
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = local.two ? 600 : 500
      volume_type           = "gp2"
      encrypted             = true
      delete_on_termination = true
    }
  }
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
  tag_specifications {
    resource_type = "instance"
    tags          = local.tags
  }
}

resource "aws_batch_compute_environment" "spot" {
  compute_environment_name_prefix = "${var.vm_name}-spot-"
  type                            = "MANAGED"
  state                           = local.two ? "DISABLED" : "ENABLED"
  tags                            = local.tags
  compute_resources {
    type                = "SPOT"
    allocation_strategy = "SPOT_CAPACITY_OPTIMIZED"
    bid_percentage      = local.two ? 90 : 100
    min_vcpus           = 0
    max_vcpus           = local.two ? 128 : 256
    instance_role       = aws_iam_instance_profile.hosts.arn
    instance_type       = local.two ? ["m5", "c5.large"] : ["optimal"]
    security_group_ids  = [aws_security_group.batch.id]
    subnets             = [var.subnet_id]
    launch_template {
      launch_template_id = aws_launch_template.hosts.id
      version            = aws_launch_template.hosts.latest_version
    }
    ec2_configuration {
      image_type = "ECS_AL2023"
    }
  }
  update_policy {
    job_execution_timeout_minutes = local.two ? 60 : 30
    terminate_jobs_on_update      = local.two
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_batch_compute_environment" "on_demand" {
  compute_environment_name = var.vm_name
  type                     = "MANAGED"
  service_role             = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.me.account_id}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
  compute_resources {
    type               = "EC2"
    min_vcpus          = 0
    desired_vcpus      = 0
    max_vcpus          = local.two ? 32 : 16
    instance_role      = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.me.account_id}:instance-profile/ecsInstanceRole"
    instance_type      = ["optimal"]
    security_group_ids = [aws_security_group.batch.id]
    subnets            = [var.subnet_id]
  }
}

resource "aws_cloudwatch_log_group" "vm" {
  name              = "/biomodal/${var.vm_name}"
  retention_in_days = local.two ? 30 : 14
  tags              = local.tags
}

output "dns" {
  value = data.aws_vpc.given.enable_dns_hostnames
}
